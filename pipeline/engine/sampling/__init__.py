"""Schedulers by the names that members know, their schedules of noise, and the first latents."""
