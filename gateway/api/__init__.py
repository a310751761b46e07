"""JSON for departments. `problems` alone knows which error is which HTTP status."""
