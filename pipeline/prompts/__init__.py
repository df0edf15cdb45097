"""Parsers of the prompt language; they work on plain text and do not import torch."""
