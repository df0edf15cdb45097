"""Encodes pictures as files, with their generation parameters."""
