"""The recipe of the pocket model: it draws scenes and trains an autoencoder, a text encoder and a U-Net on them."""
