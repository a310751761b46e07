-- The service's role: it may use what each later migration grants it, and own nothing. Roles belong to the whole
-- server, so it may be there already.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'mizan_service') THEN
    CREATE ROLE mizan_service NOLOGIN;
  END IF;
EXCEPTION
  WHEN duplicate_object OR unique_violation THEN NULL;  -- another database of this server was migrated at the same time
  WHEN insufficient_privilege THEN
    RAISE EXCEPTION 'the role mizan_service is missing and may not be created here'
      USING HINT = 'As an administrator run: CREATE ROLE mizan_service NOLOGIN; GRANT mizan_service TO CURRENT_USER;';
END $$;

DO $$
BEGIN
  IF NOT pg_has_role(current_user, 'mizan_service', 'MEMBER') THEN
    EXECUTE format('GRANT mizan_service TO %I', current_user);
  END IF;
END $$;

CREATE SCHEMA ops;
GRANT USAGE ON SCHEMA ops TO mizan_service;

-- A singleton (the ledger's writer, the night) holds its row here. The fence grows with every new holder, so that
-- work begun under an older lease can be told and refused.
CREATE TABLE ops.lease (
  name       text COLLATE "C" PRIMARY KEY,
  holder     text NOT NULL,
  fence      bigint NOT NULL,
  expires_at timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON ops.lease TO mizan_service;

-- Who did what: every manual action on money and every change of a setting that moves money.
CREATE TABLE ops.audit (
  id         text COLLATE "C" PRIMARY KEY,
  at         timestamptz NOT NULL,
  actor      text NOT NULL,
  action     text NOT NULL,
  subject    text NOT NULL,
  before     jsonb,
  after      jsonb
);
GRANT SELECT, INSERT ON ops.audit TO mizan_service;
