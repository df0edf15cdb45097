"""Families whose latents are rows of tokens: FLUX, Qwen-Image and their relatives."""

from typing import Any

import torch

from benchmarks.families.parts import flow, kl, llama_tokenizer, new, qwen_3, qwen_3_vl, reader, seeded
from tests.pipeline.engine.tiny import (
    CHAT,
    flux,
    flux_2_klein,
    qwen_autoencoder,
    qwen_encoder,
    qwen_processor,
    qwen_tokenizer,
    qwen_transformer,
    t5_encoder,
    t5_tokenizer,
)

_T5_FEATURES = 96


def flux_dev() -> Any:
    """FLUX.1 dev."""
    return flux()


def flux_schnell() -> Any:
    """FLUX.1 schnell."""
    return flux(takes_scale=False)


def flux_2() -> Any:
    """FLUX.2, read by Mistral 3 through its processor."""
    torch.manual_seed(1)
    tokenizer = llama_tokenizer()
    processor = new(
        "PixtralProcessor",
        image_processor=new("PixtralImageProcessor"),
        tokenizer=tokenizer,
        chat_template="{% for message in messages if message['role'] == 'user' %}"
        "{{ message['content'][0]['text'] }}{% endfor %}",
    )
    text = {"model_type": "mistral", "vocab_size": len(tokenizer), "hidden_size": 16, "intermediate_size": 16}
    text |= {"num_attention_heads": 2, "num_hidden_layers": 30, "num_key_value_heads": 2, "head_dim": 8}
    vision = {"model_type": "pixtral", "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    vision |= {"intermediate_size": 16, "image_size": 30, "patch_size": 6}
    reading = new("Mistral3Config", text_config=text, vision_config=vision, image_token_index=1)
    klein = flux_2_klein()
    parts = {**klein.components, "tokenizer": processor}
    parts["text_encoder"] = new("Mistral3ForConditionalGeneration", config=reading)
    parts["transformer"] = new(
        "Flux2Transformer2DModel",
        **{**klein.transformer.config, "guidance_embeds": True, "joint_attention_dim": 3 * 16},
    )
    return seeded("Flux2Pipeline", **{name: part for name, part in parts.items() if name != "is_distilled"})


def klein() -> Any:
    """FLUX.2 klein."""
    return flux_2_klein()


def klein_distilled() -> Any:
    """FLUX.2 klein, distilled."""
    return flux_2_klein(is_distilled=True)


def qwen_image() -> Any:
    """Qwen-Image."""
    torch.manual_seed(2)
    tokenizer = qwen_tokenizer()
    return seeded(
        "QwenImagePipeline",
        scheduler=flow(),
        vae=qwen_autoencoder(),
        text_encoder=qwen_encoder(tokenizer),
        tokenizer=tokenizer,
        transformer=qwen_transformer(),
    )


def chroma() -> Any:
    """Chroma."""
    torch.manual_seed(3)
    tokenizer = t5_tokenizer()
    transformer = new(
        "ChromaTransformer2DModel",
        patch_size=1,
        in_channels=4,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=_T5_FEATURES,
        axes_dims_rope=[4, 4, 8],
        approximator_hidden_dim=32,
        approximator_layers=1,
        approximator_num_channels=16,
    )
    return seeded(
        "ChromaPipeline",
        scheduler=flow(),
        vae=kl(1),
        text_encoder=t5_encoder(tokenizer),
        tokenizer=tokenizer,
        transformer=transformer,
    )


def bria() -> Any:
    """Bria."""
    torch.manual_seed(4)
    tokenizer = t5_tokenizer()
    transformer = new(
        "BriaTransformer2DModel",
        patch_size=1,
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=8,
        num_attention_heads=2,
        joint_attention_dim=_T5_FEATURES,
        axes_dims_rope=[0, 4, 4],
    )
    return seeded(
        "BriaPipeline",
        scheduler=flow(),
        vae=kl(4),
        text_encoder=t5_encoder(tokenizer),
        tokenizer=tokenizer,
        transformer=transformer,
    )


def ovis() -> Any:
    """Ovis."""
    torch.manual_seed(5)
    transformer = new(
        "OvisImageTransformer2DModel",
        patch_size=1,
        in_channels=4,
        out_channels=4,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=16,
        axes_dims_rope=(4, 4, 8),
    )
    return seeded("OvisImagePipeline", scheduler=flow(), vae=kl(1), transformer=transformer, **qwen_3())


def longcat() -> Any:
    """LongCat-Image, whose call takes no callback."""
    torch.manual_seed(6)
    tokenizer = qwen_tokenizer()
    transformer = new(
        "LongCatImageTransformer2DModel",
        in_channels=64,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=16,
        pooled_projection_dim=16,
        axes_dims_rope=(4, 4, 8),
    )
    return seeded(
        "LongCatImagePipeline",
        scheduler=flow(),
        vae=kl(16),
        text_encoder=qwen_encoder(tokenizer),
        tokenizer=tokenizer,
        text_processor=qwen_processor(tokenizer),
        transformer=transformer,
    )


def nucleus() -> Any:
    """Nucleus."""
    torch.manual_seed(7)
    tokenizer = qwen_tokenizer()
    transformer = new(
        "NucleusMoEImageTransformer2DModel",
        patch_size=2,
        in_channels=16,
        out_channels=4,
        num_layers=2,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=16,
        axes_dims_rope=(8, 4, 4),
        moe_enabled=False,
        capacity_factors=[8.0, 8.0],
    )
    processor = new(
        "Qwen3VLProcessor",
        image_processor=new("Qwen2VLImageProcessor"),
        tokenizer=tokenizer,
        video_processor=new("Qwen3VLVideoProcessor"),
        chat_template=CHAT,
    )
    return seeded(
        "NucleusMoEImagePipeline",
        scheduler=flow(),
        vae=qwen_autoencoder(),
        text_encoder=qwen_3_vl("Qwen3VLForConditionalGeneration", tokenizer, layers=8),
        processor=processor,
        transformer=transformer,
    )


def krea(**config: Any) -> Any:
    """Krea 2, which guides by a scale above 0."""
    torch.manual_seed(8)
    tokenizer = qwen_tokenizer()
    transformer = new(
        "Krea2Transformer2DModel",
        in_channels=16,
        num_layers=1,
        attention_head_dim=8,
        num_attention_heads=4,
        num_key_value_heads=2,
        intermediate_size=32,
        timestep_embed_dim=8,
        text_hidden_dim=16,
        num_text_layers=3,
        text_num_attention_heads=2,
        text_num_key_value_heads=1,
        text_intermediate_size=16,
        num_layerwise_text_blocks=1,
        num_refiner_text_blocks=1,
        axes_dims_rope=(4, 2, 2),
        rope_theta=1000.0,
    )
    return seeded(
        "Krea2Pipeline",
        scheduler=flow(use_dynamic_shifting=True, base_shift=0.5, max_shift=1.15),
        vae=qwen_autoencoder(),
        text_encoder=qwen_3_vl("Qwen3VLModel", tokenizer),
        tokenizer=tokenizer,
        transformer=transformer,
        text_encoder_select_layers=(0, 1, 2),
        **config,
    )


def krea_distilled() -> Any:
    """Krea 2, distilled."""
    return krea(is_distilled=True)


def ernie() -> Any:
    """ERNIE-Image: latents of two by two in the channels, and the VAE of FLUX.2."""
    torch.manual_seed(9)
    tokenizer = llama_tokenizer()
    transformer = new(
        "ErnieImageTransformer2DModel",
        hidden_size=32,
        num_attention_heads=2,
        num_layers=1,
        ffn_hidden_size=32,
        in_channels=8,
        out_channels=8,
        text_in_dim=16,
        rope_axes_dim=(4, 6, 6),
    )
    return seeded(
        "ErnieImagePipeline",
        scheduler=flow(),
        vae=flux_2_klein().vae,
        text_encoder=reader("MistralModel", "MistralConfig", tokenizer),
        tokenizer=tokenizer,
        transformer=transformer,
        pe=None,
        pe_tokenizer=None,
    )
