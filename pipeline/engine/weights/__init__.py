"""Weight files: reading, checks for completeness, and fingerprints."""
