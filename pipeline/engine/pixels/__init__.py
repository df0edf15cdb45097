"""Small additional networks: previews, the safety checker, upscalers."""
