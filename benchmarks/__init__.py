"""Benchmarks: each claim about speed or size, as a ratio of two sides in one run."""
