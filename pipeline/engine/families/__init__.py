"""Code that differs between model architectures."""
