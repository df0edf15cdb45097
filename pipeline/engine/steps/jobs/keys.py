"""Names of attempts and of buckets."""

AttemptId = tuple[int, int]
"""`(job_id, attempt)`."""

BucketKey = tuple[str, tuple[int, ...], tuple[tuple[str, tuple[int, ...]], ...], tuple[str, ...]]
"""Model key, shape of a row's latents, names and shapes of a row's conditioning, kinds of controls and
references, and structures of LoRAs.

Controls, references and LoRAs count only where an accelerator makes another network of a forward pass with them.

Rows with equal keys can share a forward pass.
"""
