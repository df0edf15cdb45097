"""Settings and the catalogue of models, read once at the start."""
