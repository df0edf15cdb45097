"""Requests that come from a drawn job or from a picture: variations, inpainting, outpainting."""
