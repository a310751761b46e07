"""What Mizan can do, measured beside its limits and its peers."""
