"""Samplers by their names for members, noise schedules, and initial latents."""
