"""Samplers by their names for members, and what a model's noise schedule asks of them."""
