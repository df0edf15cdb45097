"""Messages about animations."""
