"""Reads control networks: a diffusers folder, one .safetensors file, or the download of a hub."""

import json
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import torch
from diffusers.models.adapter import T2IAdapter
from diffusers.models.controlnets.controlnet import ControlNetModel
from diffusers.models.controlnets.controlnet_union import ControlNetUnionModel

from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.weights.checkpoints import check_checkpoint
from pipeline.engine.weights.completeness import check_component
from pipeline.engine.weights.components import find_weights, read_json
from pipeline.engine.weights.headers import read_tensors, text_features_in
from pipeline.engine.weights.hub import folder_of
from pipeline.protocol.catalogue.networks import ControlSpec, FileSource, FolderSource, HubSource

_CLASSES: Final[Mapping[str, Any]] = MappingProxyType(
    {"controlnet": ControlNetModel, "controlnet-union": ControlNetUnionModel, "t2i-adapter": T2IAdapter}
)
_NAME: Final = "control_net"
_CONFIG: Final = "config.json"

_OF_SD: Final[Mapping[str, Any]] = MappingProxyType({"cross_attention_dim": 768})
_OF_SD2: Final[Mapping[str, Any]] = MappingProxyType(
    {"cross_attention_dim": 1024, "attention_head_dim": [5, 10, 20, 20], "use_linear_projection": True}
)
_OF_SDXL: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "cross_attention_dim": 2048,
        "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
        "block_out_channels": [320, 640, 1280],
        "transformer_layers_per_block": [1, 2, 10],
        "attention_head_dim": [5, 10, 20],
        "use_linear_projection": True,
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 256,
        "projection_class_embeddings_input_dim": 2816,
    }
)
OF_WIDTH: Final[Mapping[int, Mapping[str, Any]]] = MappingProxyType({768: _OF_SD, 1024: _OF_SD2, 2048: _OF_SDXL})
"""Configurations of ControlNets by the width of their text features, for a file without one; diffusers would download
them. Everything else is the same in all of them."""


def check_network(spec: ControlSpec, cache_directory: str | None = None) -> int | None:
    """Check without loading that a control network is complete and of the family that the catalogue names.

    Args:
        spec: the catalogue's entry.
        cache_directory: folder for downloads from a hub; None is the library's default.

    Returns:
        Width of the text that it was trained for; None for one that reads no text.

    Raises:
        ModelUnavailable: a file is missing or broken, or the network is another one; the message is one sentence.
    """
    match spec.source:
        case FolderSource() | HubSource():
            folder, some_class = _folder(spec.source, spec, cache_directory), _CLASSES[spec.kind]
            found = _check_config(read_json(folder / _CONFIG), spec)
            check_component(_NAME, some_class, folder, find_weights(folder, some_class))
            return found
        case FileSource():
            with _file_config(spec.source, spec) as config:
                found = _check_config(read_json(config / _CONFIG), spec)
                path = Path(spec.source.path)
                check_checkpoint(path, read_tensors(path), {_NAME: ControlNetModel}, config)
                return found


def read_network(spec: ControlSpec, dtype: torch.dtype, cache_directory: str | None) -> Any:
    """Read a control network into host memory.

    Args:
        spec: the catalogue's entry.
        dtype: precision.
        cache_directory: folder for downloads from a hub; None is the library's default.

    Raises:
        ModelUnavailable: the network is another one than the catalogue names.
        Exception: any exception of a library that cannot read a file.
    """
    some_class = _CLASSES[spec.kind]
    with torch.inference_mode(mode=False):
        match spec.source:
            case FileSource(path=path):
                with _file_config(spec.source, spec) as config:
                    return some_class.from_single_file(path, config=str(config), local_files_only=True, dtype=dtype)
            case FolderSource() | HubSource():
                folder = _folder(spec.source, spec, cache_directory)
        variant = find_weights(folder, some_class).variant
        shared: dict[str, Any] = {"use_safetensors": True, "local_files_only": True, "dtype": dtype}
        network = some_class.from_pretrained(folder, variant=variant, **shared)
        _check_config(network.config, spec)
        return network


def _folder(source: FolderSource | HubSource, spec: ControlSpec, cache_directory: str | None) -> Path:
    return folder_of(source, cache_directory, f"The control net {spec.title}", spec.key)


def _check_config(config: Mapping[str, Any], spec: ControlSpec) -> int | None:
    """Check that a configuration is that of the entry's kind and family.

    Returns:
        Width of the text that the network was trained for; None for an adapter, which reads none.

    Raises:
        ModelUnavailable: it is not.
    """
    kind = _kind_of(config)
    if kind != spec.kind:
        raise ModelUnavailable(f'{spec.title} is a network of the kind "{kind}"; say so in the catalogue.')
    if kind == "t2i-adapter":
        family = "sdxl" if config.get("adapter_type") == "full_adapter_xl" else "sd"
    else:
        family = "sdxl" if config.get("addition_embed_type") == "text_time" else "sd"
    if family != spec.family:
        raise ModelUnavailable(f'{spec.title} was trained for the family "{family}"; say so in the catalogue.')
    kinds = config.get("num_control_type")
    if kind == "controlnet-union" and (spec.union_type is None or not 0 <= spec.union_type < (kinds or 0)):
        raise ModelUnavailable(
            f"{spec.title} takes several kinds of pictures; set union_type to one of 0 to {(kinds or 1) - 1}."
        )
    width = None if kind == "t2i-adapter" else config.get("cross_attention_dim")
    return width if isinstance(width, int) else None


def _kind_of(config: Mapping[str, Any]) -> str:
    name = str(config.get("_class_name", ControlNetModel.__name__))
    if "adapter_type" in config:
        return "t2i-adapter"
    if "num_control_type" in config:
        return "controlnet-union"
    return "controlnet" if "ControlNet" in name else name[:60]


@contextmanager
def _file_config(source: FileSource, spec: ControlSpec) -> Generator[Path]:
    """Folder with the configuration of a file: its own, or the usual one of its kind.

    Raises:
        ModelUnavailable: the file is no ControlNet in one file, or of an unknown kind.
    """
    path = Path(source.path)
    if path.suffix != ".safetensors":
        raise ModelUnavailable(f"The file {path.name} is no .safetensors file; others may run foreign code.")
    if spec.kind != "controlnet":
        raise ModelUnavailable(
            f'{spec.title} of the kind "{spec.kind}" is read from a folder with its {_CONFIG} or from a hub, '
            "not from one file."
        )
    if source.config is not None:
        yield Path(source.config)
        return
    config = OF_WIDTH.get(text_features_in(read_tensors(path)) or 0)
    if config is None:
        raise ModelUnavailable(
            f"The file {path.name} is no ControlNet of a known model; name a folder with its {_CONFIG} in config."
        )
    with tempfile.TemporaryDirectory() as folder:
        content = {"_class_name": ControlNetModel.__name__, **config}
        (Path(folder) / _CONFIG).write_text(json.dumps(content), encoding="utf-8")
        yield Path(folder)
