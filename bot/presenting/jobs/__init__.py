"""Messages about jobs of every kind, and their buttons."""
