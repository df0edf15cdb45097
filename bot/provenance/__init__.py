"""Provenance in the bot: the key, signing of finished pictures, and the look-up of files."""
