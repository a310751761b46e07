"""Telling payers: receipts, reminders and promises by SMS and e-mail."""
