"""How the pocket model is made: drawings to scenes, scenes to an autoencoder, a text encoder and a U-Net."""
