"""Real text mask models, made small: CLIPSeg's own class with random weights, and the shipped model's tokenizer."""

from pathlib import Path
from typing import Any, Final

import torch
from transformers import (
    CLIPSegConfig,
    CLIPSegForImageSegmentation,
    CLIPSegProcessor,
    CLIPTokenizer,
    ViTImageProcessor,
)

_TOKENIZER: Final = Path(__file__).parents[1] / "models/pocket/tokenizer"
_SIDE: Final = 32
_LAYER: Final = {"hidden_size": 16, "intermediate_size": 16, "num_attention_heads": 2, "num_hidden_layers": 3}


def save_text_mask(folder: Path) -> Path:
    """Write such a model. It marks something or other."""
    torch.manual_seed(0)
    tokenizer: Any = CLIPTokenizer.from_pretrained(_TOKENIZER)
    model = CLIPSegForImageSegmentation(
        CLIPSegConfig(
            vision_config={**_LAYER, "image_size": _SIDE, "patch_size": 8},
            text_config={**_LAYER, "vocab_size": len(tokenizer), "eos_token_id": tokenizer.eos_token_id},
            projection_dim=8,
            extract_layers=[0, 1, 2],
            reduce_dim=8,
            decoder_num_attention_heads=2,
            decoder_intermediate_size=16,
        )
    )
    decoder: Any = model.decoder
    torch.nn.init.normal_(decoder.transposed_convolution.weight)  # as it is made, all pixels look the same to it
    model.save_pretrained(folder)
    CLIPSegProcessor(ViTImageProcessor(size={"height": _SIDE, "width": _SIDE}), tokenizer).save_pretrained(folder)
    return folder
