"""Facts about an entry of the catalogue that types cannot express."""

import unicodedata
from pathlib import Path

from config.engines import mistakes_of_drawer
from config.loading import ConfigError
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.limits import NO_GUIDANCE
from pipeline.protocol.samplers.table import SAMPLERS, offered_samplers


def check_model(spec: ModelSpec, path: Path) -> None:
    """Check that names are known, that defaults are within the bounds, and that the family heeds what is said.

    Raises:
        ConfigError: something is wrong.
    """
    _check_samplers(spec, path)
    mistakes = {
        "its title is empty; members choose it by that": not any(map(is_seen, spec.title)),
        **_of_defaults(spec),
        **mistakes_of_drawer(spec),
        **_of_family(spec),
    }
    for mistake, is_made in mistakes.items():
        if is_made:
            raise ConfigError(f"The model '{spec.key}' in {path} is wrong: {mistake}.")


def _of_defaults(spec: ModelSpec) -> dict[str, bool]:
    """Whether each mistake is made in the defaults and bounds."""
    defaults, bounds, multiple = spec.defaults, spec.bounds, spec.facts.size_multiple
    sides = (defaults.width, defaults.height, bounds.min_side, bounds.max_side)
    return {
        "defaults.sampler is not among its samplers": bool(spec.samplers) and defaults.sampler not in spec.samplers,
        "defaults.steps is over bounds.max_steps": defaults.steps > bounds.max_steps,
        "defaults.cfg is over bounds.max_cfg": defaults.cfg > bounds.max_cfg,
        "it lacks guidance, so defaults.cfg must be at most 1": (
            Capability.GUIDANCE in spec.lacks and defaults.cfg > NO_GUIDANCE
        ),
        "defaults.guidance_start is not below defaults.guidance_end": defaults.guidance_start >= defaults.guidance_end,
        "defaults.images is over bounds.max_images": defaults.images > bounds.max_images,
        f"its sides are no multiples of the {multiple} pixels that its family draws": any(
            side % multiple for side in sides
        ),
        "its default size is outside its bounds": min(defaults.width, defaults.height) < bounds.min_side
        or max(defaults.width, defaults.height) > bounds.max_side
        or defaults.width * defaults.height > bounds.max_pixels,
    }


def _of_family(spec: ModelSpec) -> dict[str, bool]:
    """Whether each mistake is made in what only some families heed."""
    is_pipeline, defaults = spec.family == "pipeline", spec.defaults
    return {
        "a diffusers pipeline is guided at every step, so leave out defaults.guidance_start, _end and _rescale": (
            is_pipeline
            and (defaults.guidance_start, defaults.guidance_end, defaults.guidance_rescale) != (0.0, 1.0, 0.0)
        ),
        "prediction and zero_snr are only for the families sd and sdxl; others are trained in one way": (
            spec.facts.kind != "diffusion" and (spec.prediction, spec.zero_snr) != (None, None)
        ),
        "zero_snr needs prediction = 'v_prediction' or 'sample', since pure noise tells nothing of itself": (
            bool(spec.zero_snr) and spec.prediction == "epsilon"
        ),
        "clip_skip is only for the families sd, sdxl and sd3; others read their text in another way": (
            spec.family not in ("sd", "sdxl", "sd3") and spec.clip_skip is not None
        ),
        "edits is only for the families sd and sdxl; a pipeline's class says itself whether it edits": (
            spec.edits and spec.family not in ("sd", "sdxl")
        ),
        "a diffusers pipeline reads no LoRA in Easel, so leave out lora": (
            spec.family == "pipeline" and spec.lora is not None
        ),
        "first_block_cache is only for the family pipeline, whose jobs are drawn alone; it decides for a whole batch": (
            spec.first_block_cache is not None and not is_pipeline
        ),
        "call is only for the family pipeline; Easel runs the steps of the other families itself": (
            bool(spec.call) and not is_pipeline
        ),
    }


def _check_samplers(spec: ModelSpec, path: Path) -> None:
    """Check that the entry's samplers exist, and that they fit the model's family and its prediction."""
    for name in (*spec.samplers, spec.defaults.sampler):
        if name not in SAMPLERS:
            raise ConfigError(f"The model '{spec.key}' in {path} names the sampler '{name}', which does not exist.")
        if SAMPLERS[name].kind != spec.facts.kind:
            fitting = ", ".join(offered_samplers(spec.facts.kind))
            raise ConfigError(
                f"The model '{spec.key}' in {path} has the sampler '{name}', which does not fit its family "
                f"'{spec.family}'; these do: {fitting}. Say so in samplers or defaults.sampler."
            )
        if not SAMPLERS[name].honours(spec.schedule):
            fitting = ", ".join(offered_samplers(spec.facts.kind, spec.schedule))
            raise ConfigError(
                f"The model '{spec.key}' in {path} has the sampler '{name}', which cannot honour its prediction and "
                f"zero_snr; these can: {fitting}. Say so in samplers or defaults.sampler."
            )


def is_seen(letter: str) -> bool:
    """Whether a character is visible; blanks, marks of direction and control characters are not."""
    return unicodedata.category(letter)[0] not in "CZ"
