"""`/history` and `/favourites`."""
