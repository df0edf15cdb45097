"""Checks of one-file checkpoints in the format of A1111 and ComfyUI, from their headers alone.

diffusers' own converters rename the keys. They run on tensors without data, which remember the keys that they come
from. The result shows keys that are missing, have another shape, or are read by no component.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

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
from pipeline.protocol.catalogue.networks import Family

Checkpoint = Mapping[str, torch.Tensor]
_T = TypeVar("_T")

_VAE_BEGINNINGS: Final = ("first_stage_model.", "vae.")
_PREFIXES: Final[Mapping[str, Sequence[str]]] = {
    "unet": ("model.diffusion_model.",),
    "transformer": ("model.diffusion_model.", "joint_blocks.", "transformer."),
    "vae": _VAE_BEGINNINGS,
    "text_encoder": ("cond_stage_model.", "conditioner.embedders.0.transformer.", "text_encoders.clip_l."),
    "text_encoder_2": ("conditioner.embedders.1.", "text_encoders.clip_g."),
    "text_encoder_3": ("text_encoders.t5xxl.",),
}
"""Key prefixes of each component in a checkpoint of A1111's or ComfyUI's format."""

_CLIP_PREFIXES: Final = (
    "cond_stage_model.transformer.",
    "conditioner.embedders.0.transformer.",
    "text_encoders.clip_l.transformer.",
    "text_encoders.clip_g.transformer.",
)
_OPEN_CLIP_PREFIXES: Final = ("cond_stage_model.model.", "conditioner.embedders.1.model.")

_ANY_KIND: Final = "v1"
"""Model type that diffusers infers for a file without distinctive keys."""
_KINDS: Final[Mapping[str, Family]] = {
    "v2": "sd",
    "inpainting": "sd",
    "inpainting_v2": "sd",
    "instruct-pix2pix": "sd",
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
"""Prefixes of unused keys: leftovers of training, and marks, which `marks.py` reads."""
_LEFT_ALONE_ENDS: Final = (
    "position_ids",
    "logit_scale",
    "num_batches_tracked",
    "text_projection",
    "text_projection.weight",
    "attn_mask",
)
"""Suffixes of unused text encoder keys. A text projection is unused only when the model has none."""
_UNUSED_LAYER: Final = "cond_stage_model.model.transformer.resblocks.23."
"""Prefix of the last text encoder layer of Stable Diffusion 2, which reads the features before that layer."""


class Traced(torch.Tensor):
    """Tensor that remembers which checkpoint keys it comes from, through all operations of a converter."""

    keys: frozenset[str] = frozenset()

    @classmethod
    def of(cls, key: str, tensor: torch.Tensor) -> "Traced":
        """Wrap a tensor with its key."""
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
    """True when the file has keys of this component, in the checkpoint's or in diffusers' naming."""
    return bool(share_of(checkpoint, component))


def share_of(checkpoint: Mapping[str, _T], component: str) -> dict[str, _T]:
    """What a checkpoint has for a component, by the keys there."""
    beginnings = (*_PREFIXES.get(component, ()), f"{component}.")
    return {key: value for key, value in checkpoint.items() if key.startswith(beginnings)}


def kind_of(file: Path, checkpoint: Checkpoint) -> tuple[str, Family]:
    """The kind that a file looks like, in diffusers' word, and its family; "v1" without distinctive keys.

    Raises:
        ModelUnavailable: it looks like a model that Easel does not read from one file.
    """
    try:
        kind: str = infer_diffusers_model_type(checkpoint)
    # The inference assumes shapes of published models. Other files are checked against their configuration only.
    except (LookupError, UnboundLocalError, ValueError, RuntimeError):
        kind = _ANY_KIND
    if kind == _ANY_KIND:
        return kind, "sd"
    looks = _KINDS.get(kind)
    if looks is None:
        raise ModelUnavailable(
            f"The file {file.name} looks like {kind}, which Easel does not read from one file; take its diffusers "
            "folder. Of a transformer alone, name that folder as the rest: `easel models add FILE --rest FOLDER`."
        )
    return kind, looks


def check_family(file: Path, checkpoint: Checkpoint, family: Family) -> None:
    """Check that a file does not look like a model of another family.

    Raises:
        ModelUnavailable: it looks like a model of another family.
    """
    kind, looks = kind_of(file, checkpoint)
    if kind != _ANY_KIND and looks != family:
        raise ModelUnavailable(f'The file {file.name} looks like {kind}; set family = "{looks}" in the catalogue.')


def check_vae_file(file: Path, checkpoint: Checkpoint, config: Path | None) -> None:
    """Check that a file contains a complete VAE, alone or with other components.

    Args:
        file: path for the messages.
        checkpoint: the file's tensors without data.
        config: folder with the VAE's configuration; None when it is not downloaded yet.

    Raises:
        ModelUnavailable: a tensor is missing or has another shape; the message is one sentence about it.
    """
    if not any(key.startswith((*_VAE_BEGINNINGS, "encoder.", "decoder.")) for key in checkpoint):
        raise ModelUnavailable(f"The file {file.name} holds no VAE; name another file in the catalogue.")
    if config is not None:
        check_checkpoint(file, checkpoint, {"vae": AutoencoderKL}, config)


def check_checkpoint(file: Path, checkpoint: Checkpoint, components: Mapping[str, Any], config: Path) -> list[str]:
    """Check that a file completely contains these components.

    Args:
        file: path for the messages.
        checkpoint: the file's tensors without data, after `take_scales`.
        components: classes of the components that the file must contain, by name.
        config: folder with the configuration of each component.

    Returns:
        Keys of the file that no component reads.

    Raises:
        ModelUnavailable: a tensor is missing or has another shape; the message is one sentence about it.
    """
    traced = {key: Traced.of(key, tensor) for key, tensor in checkpoint.items()}
    used: set[str] = set()
    for component, some_class in components.items():
        where = f"The {title_of(component)} in {file.name}"
        try:
            expected, found = _converted(some_class, traced, part_of(config, component))
        # The converters fail in various ways when a file lacks the keys that they expect.
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
    """Message about a component that a file lacks."""
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
    """Expected shapes of a component by name, and the file's converted tensors for it."""
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
        # This is a second name of the same table.
        expected.pop("encoder.embed_tokens.weight", None)
        return expected, found
    raise TypeError(some_class.__name__)


def _without_numbers(some_class: Any, folder: Path) -> Any:
    with init_empty_weights():
        return some_class(some_class.config_class.from_pretrained(folder, local_files_only=True))


def _converted_clip(model: Any, checkpoint: Mapping[str, Traced]) -> dict[str, torch.Tensor]:
    """Converted tensors of a CLIP text encoder.

    Like diffusers' `create_diffusers_clip_model_from_ldm`, it selects them by key prefix and by the model's width.
    """
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
