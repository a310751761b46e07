"""The books: money, accounts, journals and seals. The floor of Mizan; it knows no payment."""
