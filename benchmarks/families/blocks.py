"""Tiny models that diffusers builds of blocks."""

from typing import Any

import torch

from benchmarks.families.packed import qwen_autoencoder
from benchmarks.families.parts import flow, new, qwen_3, wake
from tests.pipeline.engine.tiny import t5_tokenizer


def anima() -> Any:
    """Anima, whose text is read by Qwen 3, and then by a network that knows T5's words."""
    torch.manual_seed(3)
    words = t5_tokenizer()
    pipeline = new("AnimaModularPipeline")
    pipeline.update_components(
        transformer=new(
            "CosmosTransformer3DModel",
            in_channels=4,
            out_channels=4,
            num_attention_heads=2,
            attention_head_dim=16,
            num_layers=1,
            mlp_ratio=1.0,
            text_embed_dim=16,
            adaln_lora_dim=4,
            max_size=(4, 64, 64),
            rope_scale=(1.0, 4.0, 4.0),
            extra_pos_embed_type=None,
        ),
        text_conditioner=new(
            "AnimaTextConditioner",
            source_dim=16,
            target_dim=16,
            model_dim=16,
            num_layers=1,
            num_attention_heads=2,
            mlp_ratio=1.0,
            target_vocab_size=len(words),
            min_sequence_length=8,
        ),
        vae=qwen_autoencoder(),
        scheduler=flow(),
        t5_tokenizer=words,
        **qwen_3(),
    )
    return wake(pipeline)
