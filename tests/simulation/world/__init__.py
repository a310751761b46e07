"""One world: Mizan's processes, and around them departments, citizens, a card acquirer and a bank."""
