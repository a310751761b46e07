-- Which intent a bill is paid through: asked when another is created, and where a department uses one reference for
-- everything, found without a look at all that were never paid.
CREATE INDEX intent_paid ON gateway.intent (department, reference, paid_at, id) WHERE status = 'paid';
