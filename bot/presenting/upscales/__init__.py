"""Messages about jobs of the kind `upscale`."""
