"""Formats of files that hold weights: .safetensors, and GGUF for a transformer alone."""

from collections.abc import Mapping
from pathlib import Path

import torch

from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.weights.gguf_files import read_gguf
from pipeline.engine.weights.headers import read_tensors
from pipeline.engine.weights.quantised import check_formats, take_scales


def network_tensors(path: Path) -> Mapping[str, torch.Tensor]:
    """Tensors of a denoising network's file without data, after a check of its format.

    Raises:
        ModelUnavailable: the file is missing, broken, or of a format that Easel does not read.
    """
    if path.suffix == ".gguf":
        return read_gguf(path)
    check_suffix(path)
    check_formats(path)
    return take_scales(read_tensors(path), f"The file {path.name}")


def check_suffix(path: Path) -> None:
    """Check by its name that a file of several components is a .safetensors.

    Raises:
        ModelUnavailable: it is none.
    """
    if path.is_dir():
        raise ModelUnavailable(f'The path {path} is a folder and not a file; write kind = "folder" in the catalogue.')
    if path.suffix == ".gguf":
        raise ModelUnavailable(
            f"The file {path.name} is a GGUF file, of which Easel reads a transformer alone: name it as source, the "
            'folder of the rest in config and family = "pipeline", or flux, flux2 or z-image.'
        )
    if path.suffix != ".safetensors":
        raise ModelUnavailable(f"The file {path.name} is no .safetensors file; others may run foreign code.")
