-- Two people are two names: a space or a capital more is the same person, and nobody without a name decides.
-- NOT VALID, because what was decided before may carry such names and is evidence, which nobody rewrites. From now on
-- every row that is written or changed is held to it.
ALTER TABLE reconciliation.payee_change
  DROP CONSTRAINT payee_maker_is_not_checker,
  ADD CONSTRAINT payee_maker_is_not_checker CHECK (
    btrim(maker) <> '' AND btrim(checker) <> '' AND lower(btrim(checker)) <> lower(btrim(maker))) NOT VALID;
ALTER TABLE reconciliation.resolution
  DROP CONSTRAINT resolution_maker_is_not_checker,
  ADD CONSTRAINT resolution_maker_is_not_checker CHECK (
    btrim(maker) <> '' AND btrim(checker) <> '' AND lower(btrim(checker)) <> lower(btrim(maker))) NOT VALID;
ALTER TABLE reconciliation.payout_batch
  DROP CONSTRAINT payout_maker_is_not_checker,
  ADD CONSTRAINT payout_maker_is_not_checker CHECK (
    btrim(maker) <> '' AND btrim(checker) <> '' AND lower(btrim(checker)) <> lower(btrim(maker))) NOT VALID;
ALTER TABLE reconciliation.unmatch
  DROP CONSTRAINT unmatch_maker_is_not_checker,
  ADD CONSTRAINT unmatch_maker_is_not_checker CHECK (
    btrim(maker) <> '' AND btrim(checker) <> '' AND lower(btrim(checker)) <> lower(btrim(maker))) NOT VALID;
ALTER TABLE reconciliation.day_close
  DROP CONSTRAINT day_maker_is_not_checker,
  ADD CONSTRAINT day_maker_is_not_checker CHECK (
    btrim(maker) <> '' AND btrim(checker) <> '' AND lower(btrim(checker)) <> lower(btrim(maker))) NOT VALID;
ALTER TABLE reconciliation.account_mapping
  ADD CONSTRAINT account_mapping_maker_is_named CHECK (btrim(maker) <> '') NOT VALID;
ALTER TABLE gateway.centre_agent
  DROP CONSTRAINT centre_agent_maker_is_not_checker,
  ADD CONSTRAINT centre_agent_maker_is_not_checker CHECK (
    btrim(maker) <> '' AND btrim(checker) <> '' AND lower(btrim(checker)) <> lower(btrim(maker))) NOT VALID;
ALTER TABLE gateway.review_decision
  DROP CONSTRAINT review_maker_is_not_checker,
  ADD CONSTRAINT review_maker_is_not_checker CHECK (
    btrim(maker) <> '' AND btrim(checker) <> '' AND lower(btrim(checker)) <> lower(btrim(maker))) NOT VALID;
ALTER TABLE gateway.transfer_claim
  DROP CONSTRAINT transfer_claim_maker_is_not_checker,
  ADD CONSTRAINT transfer_claim_maker_is_not_checker CHECK (
    btrim(maker) <> '' AND btrim(checker) <> '' AND lower(btrim(checker)) <> lower(btrim(maker))) NOT VALID;
ALTER TABLE gateway.refund
  DROP CONSTRAINT refund_two_people,
  ADD CONSTRAINT refund_two_people CHECK (
    decided_by IS NULL OR (btrim(decided_by) <> '' AND lower(btrim(decided_by)) <> lower(btrim(asked_by)))) NOT VALID;
