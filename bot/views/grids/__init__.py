"""Buttons of a sheet."""
