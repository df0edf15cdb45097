"""Requests that make a picture larger: plainly, and with details drawn anew."""
