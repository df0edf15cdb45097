"""What members may do with their data: it is shown, exported and forgotten, and goes by itself in time."""
