"""Which models there are, which are loaded, and how they are loaded."""
