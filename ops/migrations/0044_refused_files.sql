-- What became of files that could not be read: their name, hash, reason and figures, as they came. Nothing of them is booked.
CREATE TABLE reconciliation.refused_file (
  source         text COLLATE "C" NOT NULL,
  leg            text COLLATE "C" NOT NULL CHECK (leg IN ('provider', 'bank')),
  sha256         text COLLATE "C" NOT NULL,
  name           text NOT NULL,
  business_date  date NOT NULL,
  reason         text COLLATE "C" NOT NULL,
  quoted         text NOT NULL,
  currency       char(3),
  stated_minor   bigint,
  found_minor    bigint,
  came_at        timestamptz NOT NULL,
  PRIMARY KEY (source, leg, sha256),
  CHECK ((stated_minor IS NULL OR currency IS NOT NULL) AND (found_minor IS NULL) = (stated_minor IS NULL))
);
GRANT SELECT, INSERT ON reconciliation.refused_file TO mizan_service;
