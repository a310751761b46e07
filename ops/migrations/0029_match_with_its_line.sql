-- Nearly every line of a settlement names one open item of ours, once, with the amount we expected. Such a match is kept
-- with the line itself: a second row and a second index entry for it cost a night more than finding it.
ALTER TABLE reconciliation.settlement_line
  ADD COLUMN rule text,                         -- how its item was found; set if and only if it came as expected
  ADD COLUMN item text COLLATE "C",
  ADD COLUMN payment text COLLATE "C",
  ADD COLUMN score smallint CHECK (score BETWEEN 0 AND 100),
  ADD CHECK ((rule IS NULL) = (item IS NULL) AND (rule IS NULL) = (score IS NULL));

-- All other matches are entries of their own: of lines that differ in anything, of the bank's entries, and later versions.
ALTER TABLE reconciliation.match RENAME TO match_entry;
ALTER TABLE reconciliation.match_entry RENAME CONSTRAINT match_pkey TO match_entry_pkey;
ALTER TABLE reconciliation.match_entry RENAME CONSTRAINT match_leg_check TO match_entry_leg_check;
ALTER TABLE reconciliation.match_entry RENAME CONSTRAINT match_score_check TO match_entry_score_check;

CREATE VIEW reconciliation.match AS
SELECT leg, file_no, line, version, outcome, rule, account, item, payment, expected_minor, variance_minor, score
  FROM reconciliation.match_entry
UNION ALL
SELECT 'provider'::text COLLATE "C", l.file_no, l.number, 1::smallint, 'matched'::text, l.rule,
       'provider:' || f.provider || CASE l.kind WHEN 'refund' THEN ':refunds_in_transit' ELSE ':receivable' END,
       l.item, l.payment, l.gross_minor, 0::bigint, l.score
  FROM reconciliation.settlement_line l LEFT JOIN reconciliation.settlement_file f ON f.file_no = l.file_no
 WHERE l.rule IS NOT NULL;
GRANT SELECT ON reconciliation.match TO mizan_service;

CREATE OR REPLACE VIEW reconciliation.current_match AS
SELECT leg, file_no, line, version, outcome, rule, account, item, payment, expected_minor, variance_minor, score
  FROM reconciliation.match m
 WHERE NOT EXISTS (SELECT FROM reconciliation.match_entry later
                    WHERE later.leg = m.leg AND later.file_no = m.file_no AND later.line = m.line
                      AND later.version > m.version);

-- What is undone is a match there is, wherever it is kept; the service may neither change nor remove one.
ALTER TABLE reconciliation.unmatch DROP CONSTRAINT unmatch_leg_file_no_line_version_fkey;
CREATE FUNCTION reconciliation.unmatch_has_its_match() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (
    SELECT FROM reconciliation.match m
    WHERE m.leg = NEW.leg AND m.file_no = NEW.file_no AND m.line = NEW.line AND m.version = NEW.version
  ) THEN
    RAISE EXCEPTION 'there is no version % of a match of line % in file % of leg %',
      NEW.version, NEW.line, NEW.file_no, NEW.leg
      USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'unmatch_has_its_match';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER unmatch_has_its_match BEFORE INSERT OR UPDATE OF leg, file_no, line, version ON reconciliation.unmatch
  FOR EACH ROW EXECUTE FUNCTION reconciliation.unmatch_has_its_match();
