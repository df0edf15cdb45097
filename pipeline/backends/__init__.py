"""Backends: the bot's side of the connection to engines. They do not import torch."""
