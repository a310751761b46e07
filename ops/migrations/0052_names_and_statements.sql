-- Two people are two names however they are written: full-width letters, marks nobody sees and letters of another script
-- drawn as Latin ones make no second person. The function says what of a name is compared, as the service does.
CREATE FUNCTION ledger.person_compared(name text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT lower(btrim(regexp_replace(translate(normalize(translate(name, E'\u00AD\u061C\u200B\u200C\u200D\u200E\u200F\u202A\u202B\u202C\u202D\u202E\u2060\u2066\u2067\u2068\u2069\uFEFF', ''), NFKC),
    E'\u0430\u0435\u043E\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u04BB\u051B\u051D\u043A\u043C\u043D\u0442'
    '\u0432\u04CF\u03B1\u03BF\u03C1\u03BD\u03BA\u03B9\u03C4\u03C7\u03B5\u03B7\u03BC\u03B2\u03C5\u03B6\u0410\u0415'
    '\u041E\u0420\u0421\u0423\u0425\u0406\u0408\u0405\u0500\u04BA\u051A\u051C\u041A\u041C\u041D\u0422\u0412\u04C0'
    '\u0391\u039F\u03A1\u039D\u039A\u0399\u03A4\u03A7\u0395\u0397\u039C\u0392\u03A5\u0396',
    'aeopcyxijsdhqwkmhtblaopvkitxehmbyzaeopcyxijsdhqwkmhtblaopvkitxehmbyz'), '\s+', ' ', 'g')))
$$;
REVOKE EXECUTE ON FUNCTION ledger.person_compared(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.person_compared(text) TO mizan_service;

-- NOT VALID, because what was decided before is evidence, which nobody rewrites.
ALTER TABLE reconciliation.payee_change
  DROP CONSTRAINT payee_maker_is_not_checker,
  ADD CONSTRAINT payee_maker_is_not_checker CHECK (
    ledger.person_compared(maker) <> '' AND ledger.person_compared(checker) <> ''
    AND ledger.person_compared(checker) <> ledger.person_compared(maker)) NOT VALID;
ALTER TABLE reconciliation.resolution
  DROP CONSTRAINT resolution_maker_is_not_checker,
  ADD CONSTRAINT resolution_maker_is_not_checker CHECK (
    ledger.person_compared(maker) <> '' AND ledger.person_compared(checker) <> ''
    AND ledger.person_compared(checker) <> ledger.person_compared(maker)) NOT VALID;
ALTER TABLE reconciliation.payout_batch
  DROP CONSTRAINT payout_maker_is_not_checker,
  ADD CONSTRAINT payout_maker_is_not_checker CHECK (
    ledger.person_compared(maker) <> '' AND ledger.person_compared(checker) <> ''
    AND ledger.person_compared(checker) <> ledger.person_compared(maker)) NOT VALID;
ALTER TABLE reconciliation.unmatch
  DROP CONSTRAINT unmatch_maker_is_not_checker,
  ADD CONSTRAINT unmatch_maker_is_not_checker CHECK (
    ledger.person_compared(maker) <> '' AND ledger.person_compared(checker) <> ''
    AND ledger.person_compared(checker) <> ledger.person_compared(maker)) NOT VALID;
ALTER TABLE reconciliation.day_close
  DROP CONSTRAINT day_maker_is_not_checker,
  ADD CONSTRAINT day_maker_is_not_checker CHECK (
    ledger.person_compared(maker) <> '' AND ledger.person_compared(checker) <> ''
    AND ledger.person_compared(checker) <> ledger.person_compared(maker)) NOT VALID;
ALTER TABLE reconciliation.provider_contract
  DROP CONSTRAINT contract_maker_is_not_checker,
  ADD CONSTRAINT contract_maker_is_not_checker CHECK (
    ledger.person_compared(maker) <> '' AND ledger.person_compared(checker) <> ''
    AND ledger.person_compared(checker) <> ledger.person_compared(maker)) NOT VALID;
ALTER TABLE gateway.centre_agent
  DROP CONSTRAINT centre_agent_maker_is_not_checker,
  ADD CONSTRAINT centre_agent_maker_is_not_checker CHECK (
    ledger.person_compared(maker) <> '' AND ledger.person_compared(checker) <> ''
    AND ledger.person_compared(checker) <> ledger.person_compared(maker)) NOT VALID;
ALTER TABLE gateway.review_decision
  DROP CONSTRAINT review_maker_is_not_checker,
  ADD CONSTRAINT review_maker_is_not_checker CHECK (
    ledger.person_compared(maker) <> '' AND ledger.person_compared(checker) <> ''
    AND ledger.person_compared(checker) <> ledger.person_compared(maker)) NOT VALID;
ALTER TABLE gateway.transfer_claim
  DROP CONSTRAINT transfer_claim_maker_is_not_checker,
  ADD CONSTRAINT transfer_claim_maker_is_not_checker CHECK (
    ledger.person_compared(maker) <> '' AND ledger.person_compared(checker) <> ''
    AND ledger.person_compared(checker) <> ledger.person_compared(maker)) NOT VALID;
ALTER TABLE gateway.tariff
  DROP CONSTRAINT tariff_maker_is_not_checker,
  ADD CONSTRAINT tariff_maker_is_not_checker CHECK (
    ledger.person_compared(maker) <> '' AND ledger.person_compared(checker) <> ''
    AND ledger.person_compared(checker) <> ledger.person_compared(maker)) NOT VALID;
ALTER TABLE gateway.refund
  DROP CONSTRAINT refund_two_people,
  ADD CONSTRAINT refund_two_people CHECK (
    decided_by IS NULL OR (ledger.person_compared(decided_by) <> ''
                           AND ledger.person_compared(decided_by) <> ledger.person_compared(asked_by))) NOT VALID;

-- The order in which statements were accepted: the next one opens where the one accepted last closed, whatever dates the
-- bank wrote and whatever the clocks of the processes said.
ALTER TABLE reconciliation.statement ADD COLUMN accepted_as integer;
UPDATE reconciliation.statement s SET accepted_as = o.place
FROM (SELECT statement_no, row_number() OVER (PARTITION BY bank_account ORDER BY accepted_at, closed_on,
               sequence NULLS LAST, statement_no) AS place
      FROM reconciliation.statement WHERE status = 'accepted') o
WHERE o.statement_no = s.statement_no;
GRANT UPDATE (accepted_as) ON reconciliation.statement TO mizan_service;
