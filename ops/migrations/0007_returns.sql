-- What a payer brings back from a bank where they only consented: without it the payment cannot be made. It is kept
-- with the notice of their return, in the queue that already survives every crash, until the payment is made with it.
ALTER TABLE gateway.inbox ADD COLUMN continuation text CHECK (length(continuation) <= 4096);
