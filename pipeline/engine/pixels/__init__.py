"""Small networks beside the model: previews, the safety checker, upscalers."""
