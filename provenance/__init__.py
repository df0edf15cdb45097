"""Provenance: Content Credentials (C2PA) that say where a picture comes from, and the verdict about those of a file."""
