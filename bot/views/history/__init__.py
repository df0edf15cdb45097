"""Buttons of `/history` and `/favourites`."""
