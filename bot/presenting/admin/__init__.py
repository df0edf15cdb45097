"""Messages that admins read."""
