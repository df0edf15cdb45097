"""Messages to admins."""
