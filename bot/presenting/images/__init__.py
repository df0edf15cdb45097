"""Messages about jobs of the kind `image`."""
