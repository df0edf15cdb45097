"""Tiny models of many families with random weights, in diffusers' own classes, for the benchmark and for tests."""
