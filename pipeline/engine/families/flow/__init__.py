"""Step adapters of flow models: transformers whose latents are patches."""
