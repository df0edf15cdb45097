"""Scenes, and the drawings that show them."""
