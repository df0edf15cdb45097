"""What differs by architecture."""
