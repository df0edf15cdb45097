"""Pages of finished pictures: their buttons and their layout."""
