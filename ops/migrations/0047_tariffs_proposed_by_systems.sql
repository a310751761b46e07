-- A department's system may propose a tariff for a person it names; whoever decides sees with which credential it did.
ALTER TABLE gateway.tariff ADD COLUMN proposed_with text COLLATE "C";
GRANT INSERT (proposed_with) ON gateway.tariff TO mizan_service;
