"""The prompt language: pure text, no torch."""
