"""One-file checkpoints, as A1111 and ComfyUI keep them: which of its keys become which component.

diffusers' own converters do the renaming, here with tensors that hold no numbers but remember the keys they were made
of: what is missing, of another shape, or read by nobody is known from the file's header.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import torch
from accelerate import init_empty_weights
from diffusers.loaders.single_file_model import SINGLE_FILE_LOADABLE_CLASSES
from diffusers.loaders.single_file_utils import (
    convert_ldm_clip_checkpoint,
    convert_open_clip_checkpoint,
    convert_sd3_t5_checkpoint_to_diffusers,
    infer_diffusers_model_type,
)
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.modeling_utils import ModelMixin
from transformers import CLIPTextModel, CLIPTextModelWithProjection, T5EncoderModel

from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.weights.completeness import compare, expected_shapes
from pipeline.engine.weights.components import part_of, read_json, title_of
from pipeline.protocol.models import Family

Checkpoint = Mapping[str, torch.Tensor]

_VAE_BEGINNINGS: Final = ("first_stage_model.", "vae.")
_PREFIXES: Final[Mapping[str, Sequence[str]]] = {
    "unet": ("model.diffusion_model.",),
    "transformer": ("model.diffusion_model.", "joint_blocks.", "transformer."),
    "vae": _VAE_BEGINNINGS,
    "text_encoder": ("cond_stage_model.", "conditioner.embedders.0.transformer.", "text_encoders.clip_l."),
    "text_encoder_2": ("conditioner.embedders.1.", "text_encoders.clip_g."),
    "text_encoder_3": ("text_encoders.t5xxl.",),
}
"""How the names of a component begin in a file of A1111's or ComfyUI's kind."""

_CLIP_PREFIXES: Final = (
    "cond_stage_model.transformer.",
    "conditioner.embedders.0.transformer.",
    "text_encoders.clip_l.transformer.",
    "text_encoders.clip_g.transformer.",
)
_OPEN_CLIP_PREFIXES: Final = ("cond_stage_model.model.", "conditioner.embedders.1.model.")

_ANY_KIND: Final = "v1"
"""What diffusers takes a file for that has no sign of anything else."""
_KINDS: Final[Mapping[str, Family]] = {
    "v2": "sd",
    "inpainting": "sd",
    "inpainting_v2": "sd",
    "xl_base": "sdxl",
    "xl_inpaint": "sdxl",
    "sd3": "sd3",
    "sd35_medium": "sd3",
    "sd35_large": "sd3",
}

_LEFT_ALONE: Final = (
    "model_ema.",
    "first_stage_model.loss.",
    "alphas_cumprod",
    "betas",
    "sqrt_",
    "log_one_minus_",
    "posterior_",
    "logvar",
    "lvlb_weights",
    "denoiser.",
    "embedding_manager.",
    "v_pred",
    "ztsnr",
)
"""Beginnings of keys of a training's end, which draw nothing, and of marks, which are read elsewhere."""
_LEFT_ALONE_ENDS: Final = (
    "position_ids",
    "logit_scale",
    "num_batches_tracked",
    "text_projection",
    "text_projection.weight",
    "attn_mask",
)
"""Of a text encoder's training. A projection of the whole text stays over only where the model reads none."""
_UNUSED_LAYER: Final = "cond_stage_model.model.transformer.resblocks.23."
"""Stable Diffusion 2 takes its text from before the last layer, which its configuration leaves out."""


class Traced(torch.Tensor):
    """A tensor that remembers the keys of a checkpoint that it was made of, whatever a converter does to it."""

    keys: frozenset[str] = frozenset()

    @classmethod
    def of(cls, key: str, tensor: torch.Tensor) -> "Traced":
        """The tensor with its key."""
        traced: Traced = tensor.as_subclass(cls)
        traced.keys = frozenset({key})
        return traced

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = super().__torch_function__(func, types, args, kwargs or {})
        keys = frozenset[str]().union(*(each.keys for each in _traced((args, kwargs))))
        for each in _traced(result):
            each.keys = keys
        return result


def _traced(something: Any) -> Iterator[Traced]:
    if isinstance(something, Traced):
        yield something
    elif isinstance(something, (list, tuple)):
        for each in something:  # pyright: ignore[reportUnknownVariableType] - arguments of any function of torch
            yield from _traced(each)
    elif isinstance(something, dict):
        yield from _traced([*something.values()])  # pyright: ignore[reportUnknownArgumentType] - likewise


def holds(checkpoint: Checkpoint, component: str) -> bool:
    """Some of the file's keys are of this component, or of one in diffusers' own names."""
    return any(key.startswith((*_PREFIXES.get(component, ()), f"{component}.")) for key in checkpoint)


def check_family(file: Path, checkpoint: Checkpoint, family: Family) -> None:
    """See that a file does not look like a model of another family.

    Raises:
        ModelUnavailable: it does.
    """
    try:
        kind: str = infer_diffusers_model_type(checkpoint)
    # It takes shapes for granted that only the real files have; those of others are judged by their configuration.
    except (LookupError, UnboundLocalError, ValueError, RuntimeError):
        return
    looks = _KINDS.get(kind)
    if kind != _ANY_KIND and looks is None:
        raise ModelUnavailable(
            f"The file {file.name} looks like {kind}, which Easel does not read from one file; take its diffusers "
            'folder with family = "pipeline".'
        )
    if looks not in (None, family):
        raise ModelUnavailable(f'The file {file.name} looks like {kind}; set family = "{looks}" in the catalogue.')


def check_vae_file(file: Path, checkpoint: Checkpoint, config: Path | None) -> None:
    """See that a file of a VAE alone, or with one, holds it whole.

    Args:
        file: for the sentences.
        checkpoint: its tensors without numbers.
        config: folder with its configuration; None where nobody has it yet.

    Raises:
        ModelUnavailable: one sentence about what is missing, or of another shape.
    """
    if not any(key.startswith((*_VAE_BEGINNINGS, "encoder.", "decoder.")) for key in checkpoint):
        raise ModelUnavailable(f"The file {file.name} holds no VAE; name another file in the catalogue.")
    if config is not None:
        check_checkpoint(file, checkpoint, {"vae": AutoencoderKL}, config)


def check_checkpoint(file: Path, checkpoint: Checkpoint, components: Mapping[str, Any], config: Path) -> list[str]:
    """See that a file holds these components, whole.

    Args:
        file: for the sentences.
        checkpoint: its tensors without numbers, scales taken.
        components: class by name, of those that shall come from the file.
        config: folder with a configuration of each.

    Returns:
        Keys of the file that nobody reads.

    Raises:
        ModelUnavailable: one sentence about what is missing, or of another shape.
    """
    traced = {key: Traced.of(key, tensor) for key, tensor in checkpoint.items()}
    used: set[str] = set()
    for component, some_class in components.items():
        where = f"The {title_of(component)} in {file.name}"
        try:
            expected, found = _converted(some_class, traced, part_of(config, component))
        # The converters take keys for granted that a file of another kind does not have.
        except (KeyError, IndexError, ValueError, AttributeError, TypeError) as error:
            raise ModelUnavailable(
                f"{where} is not the one of its configuration ({type(error).__name__}: {error}); "
                "look at family and config in the catalogue."
            ) from error
        if not any(name in found for name in expected):
            raise ModelUnavailable(absent(file, component))
        compare(where, expected, found)
        used |= {key for name in expected for each in _traced(found[name]) for key in each.keys}
    return sorted(key for key in checkpoint if key not in used and not _is_left_alone(key))


def absent(file: Path, component: str) -> str:
    """The sentence about a component that is not in a file."""
    remedy = "it is not a whole checkpoint, or of another family than the catalogue names."
    if component == "vae":
        remedy = (
            'name one in the catalogue, such as vae = { kind = "file", path = "vae.safetensors" }, or take a file '
            "with its VAE."
        )
    return f"The file {file.name} holds no {title_of(component)}: {remedy}"


def _is_left_alone(key: str) -> bool:
    return key.startswith((*_LEFT_ALONE, _UNUSED_LAYER)) or key.endswith(_LEFT_ALONE_ENDS)


def _converted(
    some_class: Any, checkpoint: Mapping[str, Traced], folder: Path
) -> tuple[Mapping[str, torch.Size], dict[str, torch.Tensor]]:
    """What a component expects, shape by name, and what the file has for it."""
    if issubclass(some_class, ModelMixin):
        config = read_json(folder / "config.json")
        expected = expected_shapes(some_class, config)
        if set(expected) <= set(checkpoint):
            return expected, {name: checkpoint[name] for name in expected}
        convert: Any = SINGLE_FILE_LOADABLE_CLASSES[some_class.__name__]["checkpoint_mapping_fn"]
        return expected, convert(checkpoint=dict(checkpoint), config=config)
    model = _without_numbers(some_class, folder)
    expected = {name: tensor.shape for name, tensor in model.state_dict().items()}
    if issubclass(some_class, (CLIPTextModel, CLIPTextModelWithProjection)):
        return expected, _converted_clip(model, checkpoint)
    if issubclass(some_class, T5EncoderModel):
        found: dict[str, torch.Tensor] = convert_sd3_t5_checkpoint_to_diffusers(dict(checkpoint))
        # The same table under a second name.
        expected.pop("encoder.embed_tokens.weight", None)
        return expected, found
    raise TypeError(some_class.__name__)


def _without_numbers(some_class: Any, folder: Path) -> Any:
    with init_empty_weights():
        return some_class(some_class.config_class.from_pretrained(folder, local_files_only=True))


def _converted_clip(model: Any, checkpoint: Mapping[str, Traced]) -> dict[str, torch.Tensor]:
    """As `create_diffusers_clip_model_from_ldm` chooses: by the place in the file and the width of the model."""
    width = (model.text_model if hasattr(model, "text_model") else model).embeddings.position_embedding.embedding_dim
    found: dict[str, torch.Tensor] = {}
    for prefix in _CLIP_PREFIXES:
        table = checkpoint.get(f"{prefix}text_model.embeddings.position_embedding.weight")
        if table is not None and (prefix == _CLIP_PREFIXES[0] or table.shape[-1] == width):
            found = convert_ldm_clip_checkpoint(dict(checkpoint), prefix)
            if prefix == "text_encoders.clip_l.transformer.":
                found["text_projection.weight"] = torch.empty(width, width, device="meta")
            break
    else:
        for prefix in _OPEN_CLIP_PREFIXES:
            table = checkpoint.get(f"{prefix}positional_embedding")
            if table is not None and (prefix == _OPEN_CLIP_PREFIXES[0] or table.shape[-1] == width):
                found = convert_open_clip_checkpoint(model, dict(checkpoint), prefix=prefix)
                break
    if hasattr(model, "text_model"):
        return found
    return {name.removeprefix("text_model."): tensor for name, tensor in found.items()}
