"""Guidance: one prediction from those of a job's branches."""

from collections.abc import Sequence

import torch
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import rescale_noise_cfg


def guided(
    parts: Sequence[torch.Tensor],
    weights: Sequence[float],
    scale: float,
    *,
    image_guidance: float | None,
    rescale: float,
) -> torch.Tensor:
    """Apply guidance to predictions, [images, c, h, w] each.

    With a row of the negative prompt this is classifier-free guidance. Several concepts add up their weighted
    differences from it, as in A1111 (Liu et al. 2022, https://arxiv.org/abs/2206.01714, equation 11). An edit guides
    as InstructPix2Pix does (https://arxiv.org/abs/2211.09800, equation 3), which also guides towards the picture.

    Args:
        parts: predictions of the branches: [neither, picture] for an edit, [unconditional] for others, then one for
            each concept. A job without guidance has only that of its concept.
        weights: weights of the concepts.
        scale: guidance scale.
        image_guidance: scale of the guidance towards the picture of an edit; None for a job that edits none.
        rescale: fraction of guidance's additional contrast that is removed, from 0 to 1.
    """
    before = len(parts) - len(weights)
    if not before:
        return parts[0]
    unconditional = parts[before - 1]
    conditional = _joined(unconditional, parts[before:], weights)
    towards_text = scale * (conditional - unconditional)
    if image_guidance is not None:
        neither = parts[0]
        result = neither + towards_text + image_guidance * (unconditional - neither)
    else:
        result = unconditional + towards_text
    return rescale_noise_cfg(result, conditional, rescale) if rescale > 0 else result


def _joined(unconditional: torch.Tensor, parts: Sequence[torch.Tensor], weights: Sequence[float]) -> torch.Tensor:
    """Prediction towards which guidance goes, from those of the concepts."""
    if [*weights] == [1.0]:
        # The sum below is the same number, with other last bits.
        return parts[0]
    joined = unconditional
    for part, weight in zip(parts, weights, strict=True):
        joined = joined + weight * (part - unconditional)
    return joined
