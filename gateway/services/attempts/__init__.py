"""Attempts to pay: begun before the provider is asked, moved only by what providers say."""
