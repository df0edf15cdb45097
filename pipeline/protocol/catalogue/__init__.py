"""Entries of the owner's catalogue: models, and networks beside them."""
