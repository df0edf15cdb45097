"""The bot's way to GPU hosts: a backend for each of them, and the fleet that is one backend for all."""
