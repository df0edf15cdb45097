"""Tiny models that diffusers builds of blocks."""

from typing import Any

import torch

from benchmarks.families.packed import qwen_autoencoder
from benchmarks.families.parts import flow, new, qwen_3, qwen_3_vl, wake
from tests.pipeline.engine.tiny import flux_2_klein, qwen_tokenizer, t5_tokenizer


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


def flux_3(*, is_distilled: bool = False) -> Any:
    """FLUX.3, which reads eight layers of Qwen 3 VL."""
    torch.manual_seed(4)
    tokenizer = qwen_tokenizer()
    processor = new(
        "Qwen3VLProcessor",
        image_processor=new("Qwen2VLImageProcessor"),
        video_processor=new("Qwen3VLVideoProcessor"),
        tokenizer=tokenizer,
        chat_template="{% for message in messages %}<|im_start|>{{ message['content'] }}<|im_end|>{% endfor %}",
    )
    klein = flux_2_klein()
    channels = klein.transformer.config.in_channels
    pipeline = new("Flux3DistilledModularPipeline" if is_distilled else "Flux3ModularPipeline")
    pipeline.update_components(
        transformer=new(
            "Flux3Transformer2DModel",
            in_channels=channels,
            cond_in_channels=channels,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=8 * 16,
            timestep_channels=16,
            mlp_ratio=1.0,
            axes_dims_rope=(4, 4, 4, 4),
            flow_map=is_distilled,
        ),
        vae=klein.vae,
        scheduler=flow(),
        text_encoder=qwen_3_vl("Qwen3VLForConditionalGeneration", tokenizer, layers=33),
        tokenizer=processor,
    )
    return wake(pipeline)


def flux_3_distilled() -> Any:
    """FLUX.3, distilled."""
    return flux_3(is_distilled=True)
