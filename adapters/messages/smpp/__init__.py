"""SMS over SMPP 3.4: texts cut into segments, one bound connection, delivery receipts handed on."""
