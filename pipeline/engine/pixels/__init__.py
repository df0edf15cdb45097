"""Small additional networks: previews, the image check, upscalers."""
