"""The night's steps, in their order: settlements, statements, match, breaks, payouts, confirm."""
