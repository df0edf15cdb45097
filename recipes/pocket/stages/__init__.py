"""The stages of the training, and what they share."""
