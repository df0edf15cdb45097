"""Each claim of speed or size, as a ratio taken in one run."""
