-- A decision may clear a part of a break's item: the rest is a break again, of the same type and subject. What was
-- decided about an item says nothing of what is open of it later, so only a standing break, or one that was accepted and
-- is about no item, keeps another of its subject away.
DROP INDEX reconciliation.break_subject;
CREATE UNIQUE INDEX break_subject ON reconciliation.break (type, subject)
  WHERE closed_at IS NULL OR (status = 'resolved' AND item IS NULL);

-- What is approved is what was proposed: the journal as its maker saw it, a posting a line.
ALTER TABLE reconciliation.resolution ADD COLUMN foreseen text COLLATE "C";
