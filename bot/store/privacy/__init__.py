"""Forgetting: words and pictures go, ids become pseudonyms, and every sum stays."""
