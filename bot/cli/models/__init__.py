"""`easel models`: get, list, check and remove models."""
