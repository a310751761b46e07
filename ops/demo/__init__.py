"""The demo: a city of forty departments, and the days it lives through."""
