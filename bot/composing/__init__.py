"""Builds the bot's services from their parts."""
