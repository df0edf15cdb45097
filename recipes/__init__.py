"""Recipes of the models and tables that Easel ships, one room each."""
