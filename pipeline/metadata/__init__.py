"""Reads generation parameters from picture files of unknown origin: bytes in, text out.

Pixels are decoded only if necessary. Members may post any file, so formats, parts, texts and pixels have limits, and
reading a file takes at most 60 MB of memory, with the file itself. The package imports neither discord.py nor torch nor
the rest of Easel, so that it can run in its own process.
"""
