"""Service centres: their people, their shifts, and the payments they take."""
