"""What a payer sees: the checkout, the receipt, where the money is."""
