"""Scenes and their pictures: sampling, painting and measuring."""
