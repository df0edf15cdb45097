"""Buttons and forms that make something move."""
