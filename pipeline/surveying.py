"""Derives an entry of the catalogue from a model's files: `python -m pipeline.surveying PATH`.

`easel models add` asks this process, since it loads no torch itself. The path is a .safetensors file, or a diffusers
folder, of which the configurations suffice. Standard output receives a line of JSON.
"""

import inspect
import logging
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.families.pipeline_blocks import class_named
from pipeline.engine.families.pipeline_classes import facts_of_class
from pipeline.engine.families.registry import FAMILIES
from pipeline.engine.models.capabilities import lacks_of
from pipeline.engine.models.index import listed_components, read_index
from pipeline.engine.models.loading import quiet_libraries
from pipeline.engine.weights.checkpoints import kind_of
from pipeline.engine.weights.components import read_json
from pipeline.engine.weights.headers import read_tensors
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.catalogue.networks import Family
from pipeline.protocol.examining import NotSurveyed, Surveyed, SurveyingAnswer
from pipeline.protocol.limits import NO_GUIDANCE

_TASKS: Final = re.compile(r"(Inpaint|Img2Img|InstructPix2Pix)?Pipeline$")
_LATENT_CONSISTENCY: Final = "LatentConsistencyModelPipeline"
_USUAL: Final[Mapping[Family, tuple[int, float, int]]] = {
    "sd": (25, 7.0, 512),
    "sdxl": (30, 6.0, 1_024),
    "sd3": (28, 4.5, 1_024),
    "z-image": (28, 5.0, 1_024),
    "flux2": (50, 4.0, 1_024),
    "flux": (28, 3.5, 1_024),
    "pipeline": (30, 5.0, 1_024),
}
"""Steps, CFG and side in pixels that the models of a family are used with, where their files say nothing."""
_FEW_STEPS: Final[Mapping[Family, int]] = {"flux": 4, "flux2": 4, "z-image": 9}
"""Steps of distilled models by their family; 8 in others."""
_USUALLY_FEW: Final = 8
_TURBO_SHIFT: Final = 3.0
"""Shift of the schedule of Z-Image Turbo; that of its base model is 6. Nothing else in their files differs."""
_SAID: Final = (Capability.GUIDANCE, Capability.NEGATIVE_PROMPT)
_SIDES_BY_KIND: Final[Mapping[str, int]] = {"v2": 768, "inpainting_v2": 512}


def main() -> None:
    """Look at the path of the first argument, and write what was found to standard output."""
    logging.disable()  # the sentences are in the answer
    quiet_libraries()
    sys.stdout.buffer.write(msgspec.json.encode(surveyed(Path(sys.argv[1]))))


def surveyed(path: Path) -> SurveyingAnswer:
    """What the files of a model say about its entry."""
    try:
        return _of_folder(path) if path.is_dir() else _of_file(path)
    except ModelUnavailable as error:
        return NotSurveyed(sentence=str(error))


def _of_file(path: Path) -> Surveyed:
    kind, family = kind_of(path, read_tensors(path))
    steps, cfg, side = _USUAL[family]
    side = _SIDES_BY_KIND.get(kind, side)
    return Surveyed(family=family, steps=steps, cfg=cfg, side=side, edits=kind == "instruct-pix2pix")


def _of_folder(folder: Path) -> Surveyed:
    listed_components(folder, FAMILIES["pipeline"])
    name = str(read_index(folder)["_class_name"])
    family, unet = _family_of(name), _config(folder, "unet")
    steps, cfg, side = _USUAL[family]
    lacks = lacks_of(folder, FAMILIES[family])
    if family == "pipeline" or FAMILIES[family].classes:
        steps, cfg = _of_call(class_named(name), steps, cfg)
    is_distilled = unet.get("time_cond_proj_dim") is not None
    if family == "z-image" and _is_turbo(folder):
        cfg, is_distilled = NO_GUIDANCE, True
    if Capability.GUIDANCE in lacks:
        cfg = NO_GUIDANCE
        # Of whole pipelines, some have no guidance without being distilled.
        is_distilled = is_distilled or family != "pipeline"
    edits = family in ("sd", "sdxl") and unet.get("in_channels") == 2 * unet.get("out_channels", 4)
    return Surveyed(
        family=family,
        steps=min(steps, _FEW_STEPS.get(family, _USUALLY_FEW)) if is_distilled else steps,
        cfg=cfg,
        side=_side_of(folder) or side,
        edits=edits,
        lacks=tuple(each for each in _SAID if each in lacks),
    )


def _is_turbo(folder: Path) -> bool:
    """True for the distilled Z-Image, by its name or by its schedule.

    Downloads lie in `models--OWNER--NAME/snapshots/COMMIT`.
    """
    name = next((part for part in folder.parts if part.startswith("models--")), folder.name).casefold()
    if "turbo" in name or "base" in name:
        return "turbo" in name
    shift = _config(folder, "scheduler", "scheduler_config.json").get("shift")
    return isinstance(shift, int | float) and shift <= _TURBO_SHIFT


def _family_of(name: str) -> Family:
    """The family whose step adapter draws the models of a pipeline class; other classes run as whole pipelines."""
    if name == _LATENT_CONSISTENCY:
        return "sd"
    exact: dict[str, Family] = {each: family for family, parts in FAMILIES.items() for each in parts.classes}
    if name in exact:
        return exact[name]
    classes: dict[str, Family] = {
        parts.pipeline_class.__name__: family
        for family, parts in FAMILIES.items()
        if not (parts.reads_class or parts.classes)
    }
    return classes.get(_TASKS.sub("Pipeline", name), "pipeline")


def _of_call(pipeline_class: Any, steps: int, cfg: float) -> tuple[int, float]:
    """Steps and CFG, as A1111 counts it, that a pipeline's call has by itself."""
    parameters, facts = inspect.signature(pipeline_class.__call__).parameters, facts_of_class(pipeline_class)
    own_steps = parameters["num_inference_steps"].default if "num_inference_steps" in parameters else None
    own_scale = parameters[facts.guidance].default if facts.guidance in parameters else None
    if isinstance(own_scale, int | float):
        cfg = float(own_scale) + NO_GUIDANCE - facts.unguided
    return (own_steps if isinstance(own_steps, int) else steps), max(NO_GUIDANCE, cfg)


def _side_of(folder: Path) -> int | None:
    """Side in pixels that a model was trained for: that of its latents, times the factor of its VAE."""
    network = _config(folder, "unet") or _config(folder, "transformer")
    side, blocks = network.get("sample_size"), _config(folder, "vae").get("block_out_channels")
    if not isinstance(side, int) or not isinstance(blocks, list):
        return None
    return side * 2 ** (len(blocks) - 1)  # pyright: ignore[reportUnknownArgumentType] - JSON


def _config(folder: Path, component: str, name: str = "config.json") -> dict[str, Any]:
    file = folder / component / name
    return read_json(file) if file.is_file() else {}


if __name__ == "__main__":
    main()
