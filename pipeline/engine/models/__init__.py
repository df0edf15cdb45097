"""Models: checks of their files, loading, and the cache of loaded models."""
