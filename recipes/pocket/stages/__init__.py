"""The stages of the training, and their common training loop."""
