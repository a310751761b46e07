"""What may be charged: departments, services, tariffs with their versions, and the price of a basket."""
