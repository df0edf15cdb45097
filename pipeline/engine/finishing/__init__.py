"""Turns finished latents into image files."""
