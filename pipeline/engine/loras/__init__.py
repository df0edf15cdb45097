"""LoRAs: the owner's folder, files into numbers, and numbers onto the rows of a forward."""
