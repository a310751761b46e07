"""Money going back: asked for, decided by two people, applied by the provider's word."""
