"""Safety: what members may ask for."""
