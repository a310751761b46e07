"""What every provider's simulator shares: the fault menu, callbacks that go wrong, credits at the bank."""
