"""Files of weights: what is in them, whether they are complete, and which they are."""
