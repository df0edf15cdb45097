"""Settings and the catalogue of models; both are read once at the start."""
