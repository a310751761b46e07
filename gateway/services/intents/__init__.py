"""What departments ask to be paid: an intent from its creation to its end, and the links that make one."""
