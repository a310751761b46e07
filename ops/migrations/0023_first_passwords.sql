-- The first password of an agent is read out by whoever let them in: until they have chosen their own, they do nothing else.
ALTER TABLE gateway.centre_agent ADD COLUMN chose_password boolean NOT NULL DEFAULT false;
UPDATE gateway.centre_agent a SET chose_password = true
 WHERE EXISTS (SELECT FROM gateway.audit d WHERE d.action = 'password_changed' AND d.subject = a.code);
GRANT UPDATE (chose_password) ON gateway.centre_agent TO mizan_service;
