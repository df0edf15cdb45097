"""Families whose latents are a grid of channels, drawn by a transformer."""

from typing import Any

import torch

from benchmarks.families.parts import (
    bert_tokenizer,
    deep_compression,
    eight,
    flow,
    gemma_tokenizer,
    kl,
    llama_tokenizer,
    new,
    qwen_3,
    reader,
    seeded,
)
from tests.pipeline.engine.tiny import autoencoder, pixart_sigma, stable_diffusion_3, t5_encoder, t5_tokenizer

_T5_FEATURES = 96


def _t5(number: str = "") -> dict[str, Any]:
    tokenizer = t5_tokenizer()
    return {f"text_encoder{number}": t5_encoder(tokenizer), f"tokenizer{number}": tokenizer}


def _gemma(model: str = "Gemma2Model", config: str = "Gemma2Config") -> dict[str, Any]:
    tokenizer = gemma_tokenizer()
    return {"text_encoder": reader(model, config, tokenizer), "tokenizer": tokenizer}


def sd_3() -> Any:
    """Stable Diffusion 3."""
    return stable_diffusion_3()


def sigma() -> Any:
    """PixArt Sigma."""
    return pixart_sigma()


def alpha() -> Any:
    """PixArt alpha, with the callbacks of old."""
    torch.manual_seed(1)
    transformer = new(
        "PixArtTransformer2DModel",
        sample_size=16,
        num_layers=1,
        patch_size=2,
        attention_head_dim=8,
        num_attention_heads=4,
        in_channels=4,
        out_channels=8,
        cross_attention_dim=32,
        caption_channels=_T5_FEATURES,
        use_additional_conditions=False,
    )
    scheduler = new("DPMSolverMultistepScheduler")
    return seeded("PixArtAlphaPipeline", vae=autoencoder(), transformer=transformer, scheduler=scheduler, **_t5())


def z_image() -> Any:
    """Z-Image, which guides by a scale above 0."""
    torch.manual_seed(2)
    transformer = new(
        "ZImageTransformer2DModel",
        all_patch_size=(2,),
        all_f_patch_size=(1,),
        in_channels=16,
        dim=32,
        n_layers=1,
        n_refiner_layers=1,
        n_heads=2,
        n_kv_heads=2,
        cap_feat_dim=16,
        axes_dims=[8, 4, 4],
        axes_lens=[1536, 64, 64],
    )
    with torch.no_grad():
        # Both are empty memory otherwise.
        transformer.x_pad_token.fill_(1.0)
        transformer.cap_pad_token.fill_(1.0)
    return seeded("ZImagePipeline", transformer=transformer, vae=kl(16), scheduler=flow(), **qwen_3())


def _sana_transformer(**options: Any) -> Any:
    return new(
        "SanaTransformer2DModel",
        patch_size=1,
        in_channels=4,
        out_channels=4,
        num_layers=1,
        num_attention_heads=2,
        attention_head_dim=8,
        num_cross_attention_heads=2,
        cross_attention_head_dim=8,
        cross_attention_dim=16,
        caption_channels=16,
        sample_size=32,
        **options,
    )


def sana() -> Any:
    """Sana."""
    torch.manual_seed(3)
    parts = {"transformer": _sana_transformer(), "vae": deep_compression(), "scheduler": flow(shift=3.0)}
    return seeded("SanaPipeline", **parts, **_gemma())


def sana_sprint() -> Any:
    """Sana-Sprint, distilled to a few steps; its transformer takes the guidance scale."""
    torch.manual_seed(4)
    transformer = _sana_transformer(qk_norm="rms_norm_across_heads", guidance_embeds=True)
    parts = {"transformer": transformer, "vae": deep_compression(), "scheduler": new("SCMScheduler")}
    return seeded("SanaSprintPipeline", **parts, **_gemma())


def auraflow() -> Any:
    """AuraFlow."""
    torch.manual_seed(5)
    tokenizer = t5_tokenizer()
    config = {"vocab_size": len(tokenizer), "d_model": 32, "d_kv": 8, "d_ff": 32, "num_layers": 2, "num_heads": 2}
    transformer = new(
        "AuraFlowTransformer2DModel",
        sample_size=32,
        patch_size=2,
        in_channels=4,
        num_mmdit_layers=1,
        num_single_dit_layers=1,
        attention_head_dim=8,
        num_attention_heads=4,
        caption_projection_dim=32,
        joint_attention_dim=32,
        out_channels=4,
        pos_embed_max_size=256,
    )
    return seeded(
        "AuraFlowPipeline",
        tokenizer=tokenizer,
        text_encoder=new("UMT5EncoderModel", config=new("UMT5Config", **config)),
        vae=autoencoder(),
        transformer=transformer,
        scheduler=flow(),
    )


def cogview_3() -> Any:
    """CogView 3."""
    torch.manual_seed(6)
    transformer = new(
        "CogView3PlusTransformer2DModel",
        patch_size=2,
        in_channels=4,
        num_layers=1,
        attention_head_dim=4,
        num_attention_heads=2,
        out_channels=4,
        text_embed_dim=_T5_FEATURES,
        time_embed_dim=8,
        condition_dim=2,
        pos_embed_max_size=32,
        sample_size=8,
    )
    scheduler = new("CogVideoXDDIMScheduler")
    return seeded("CogView3PlusPipeline", vae=autoencoder(), transformer=transformer, scheduler=scheduler, **_t5())


def cogview_4() -> Any:
    """CogView 4."""
    torch.manual_seed(7)
    tokenizer = llama_tokenizer()
    transformer = new(
        "CogView4Transformer2DModel",
        patch_size=2,
        in_channels=4,
        num_layers=1,
        attention_head_dim=4,
        num_attention_heads=4,
        out_channels=4,
        text_embed_dim=16,
        time_embed_dim=8,
        condition_dim=4,
    )
    return seeded(
        "CogView4Pipeline",
        vae=autoencoder(),
        transformer=transformer,
        scheduler=flow(base_shift=0.25, max_shift=0.75, use_dynamic_shifting=True, time_shift_type="linear"),
        text_encoder=reader("GlmModel", "GlmConfig", tokenizer),
        tokenizer=tokenizer,
    )


def lumina_2() -> Any:
    """Lumina 2."""
    torch.manual_seed(8)
    transformer = new(
        "Lumina2Transformer2DModel",
        sample_size=16,
        patch_size=2,
        in_channels=4,
        hidden_size=8,
        num_layers=1,
        num_refiner_layers=1,
        num_attention_heads=1,
        num_kv_heads=1,
        multiple_of=16,
        axes_dim_rope=[4, 2, 2],
        axes_lens=[300, 64, 64],
        cap_feat_dim=16,
    )
    return seeded(
        "Lumina2Pipeline", transformer=transformer, vae=eight(shift_factor=0.06), scheduler=flow(), **_gemma()
    )


def lumina() -> Any:
    """Lumina."""
    torch.manual_seed(9)
    transformer = new(
        "LuminaNextDiT2DModel",
        sample_size=16,
        patch_size=2,
        in_channels=4,
        hidden_size=32,
        num_layers=1,
        num_attention_heads=4,
        num_kv_heads=2,
        multiple_of=16,
        cross_attention_dim=16,
    )
    with torch.no_grad():
        # It is empty memory otherwise.
        transformer.pad_token.fill_(0.1)
    parts = {"transformer": transformer, "vae": eight(), "scheduler": flow()}
    return seeded("LuminaPipeline", **parts, **_gemma("GemmaModel", "GemmaConfig"))


def hunyuan_dit() -> Any:
    """HunyuanDiT."""
    torch.manual_seed(10)
    tokenizer = bert_tokenizer()
    config = {"vocab_size": len(tokenizer), "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    transformer = new(
        "HunyuanDiT2DModel",
        sample_size=16,
        num_layers=2,
        patch_size=2,
        attention_head_dim=8,
        num_attention_heads=3,
        in_channels=4,
        cross_attention_dim=32,
        cross_attention_dim_t5=_T5_FEATURES,
        pooled_projection_dim=16,
        hidden_size=24,
    )
    return seeded(
        "HunyuanDiTPipeline",
        vae=eight(),
        transformer=transformer,
        scheduler=new("DDPMScheduler"),
        text_encoder=new("BertModel", config=new("BertConfig", intermediate_size=32, **config)),
        tokenizer=tokenizer,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
        **_t5("_2"),
    )


def omnigen() -> Any:
    """OmniGen, whose transformer reads the text itself."""
    torch.manual_seed(11)
    tokenizer = llama_tokenizer()
    transformer = new(
        "OmniGenTransformer2DModel",
        hidden_size=16,
        num_attention_heads=2,
        num_key_value_heads=2,
        intermediate_size=32,
        num_layers=1,
        pad_token_id=tokenizer.pad_token_id,
        vocab_size=len(tokenizer),
        rope_scaling={"long_factor": [1.0] * 4, "short_factor": [1.0] * 4, "type": "su"},
        time_step_dim=16,
    )
    return seeded("OmniGenPipeline", transformer=transformer, scheduler=flow(), vae=eight(), tokenizer=tokenizer)
