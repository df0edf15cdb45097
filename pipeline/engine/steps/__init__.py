"""Which rows are in the next forward pass, and what becomes of its predictions."""
