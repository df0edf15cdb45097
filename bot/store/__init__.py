"""The database, and the images on disk."""
