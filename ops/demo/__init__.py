"""The demonstration: a city of forty departments, its citizens, and one scripted day."""
