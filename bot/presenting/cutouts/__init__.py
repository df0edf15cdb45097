"""Messages about jobs of the kind `cutout`."""
