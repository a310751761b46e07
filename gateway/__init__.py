"""What departments and citizens touch: API, checkout, callbacks, webhooks, receipts, messages."""
