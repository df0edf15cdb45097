"""LoRAs and embeddings: the owner's folder, reading of files, and use in forward passes."""
