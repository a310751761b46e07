"""The rules of a payment, pure: status tables, caps, postings. Nothing here waits, reads or writes."""
