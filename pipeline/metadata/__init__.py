"""What strangers' picture files say about how they were made: bytes in, text out, without a pixel where that can be.

A member may post anything, so formats, parts, texts and pixels are bounded, and no file costs its reader more than
60 MB, its own bytes included. It knows nothing of Discord, torch or the rest of Easel, so that it can run in a process
of its own.
"""
