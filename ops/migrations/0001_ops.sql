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
      USING ERRCODE = 'insufficient_privilege', HINT = 'As an administrator run: CREATE ROLE mizan_service NOLOGIN; GRANT mizan_service TO CURRENT_USER;';
END $$;

DO $$
BEGIN
  IF NOT pg_has_role(current_user, 'mizan_service', 'MEMBER') THEN
    EXECUTE format('GRANT mizan_service TO %I', current_user);
  END IF;
EXCEPTION
  WHEN insufficient_privilege THEN
    RAISE EXCEPTION 'this database user is not a member of the role mizan_service' USING
      ERRCODE = 'insufficient_privilege',
      HINT = format('As an administrator run: GRANT mizan_service TO %I;', current_user);
END $$;
