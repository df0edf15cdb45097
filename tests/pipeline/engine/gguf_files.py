"""Writes GGUF files, as programs that quantise transformers do."""

from pathlib import Path
from typing import Any

import gguf
import torch

Kind = gguf.GGMLQuantizationType


def blocks(tensor: torch.Tensor, kind: Kind) -> tuple[Any, Kind]:
    """A tensor as files keep it: matrices in blocks where these fit, and the rest in bfloat16."""
    numbers = tensor.float().numpy()
    is_matrix = numbers.ndim == 2 and numbers.shape[-1] % gguf.GGML_QUANT_SIZES[kind][0] == 0
    kept = kind if is_matrix else Kind.BF16
    return gguf.quants.quantize(numbers, kept), kept


def written(path: Path, tensors: dict[str, torch.Tensor], kind: Kind = Kind.Q8_0) -> Path:
    """The tensors in a file."""
    writer = gguf.GGUFWriter(path, "tiny")
    for name, tensor in tensors.items():
        data, kept = blocks(tensor, kind)
        writer.add_tensor(name, data, raw_dtype=kept)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
