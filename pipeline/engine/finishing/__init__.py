"""From latents to files."""
