"""The night: provider and bank files held against the books, breaks, payouts and reports."""
