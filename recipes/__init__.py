"""Recipes of the models that Easel ships, one room each."""
