"""Benchmarks: each prints its figures next to the limit of the machine, so that the ratios travel."""
