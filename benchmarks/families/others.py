"""Families of other kinds: U-Nets, pixels instead of latents, priors before the picture, and latents of videos."""

from typing import Any

import torch

from benchmarks.families.parts import (
    clip,
    eight,
    flow,
    kl,
    llama_tokenizer,
    new,
    qwen_3_vl,
    reader,
    seeded,
    vector_quantised,
)
from tests.pipeline.engine.tiny import (
    flux_2_klein,
    latent_consistency,
    qwen_encoder,
    qwen_processor,
    qwen_tokenizer,
    stable_diffusion,
    stable_diffusion_xl,
    t5_encoder,
    t5_tokenizer,
)

_T5_FEATURES = 96
_CLIP_FEATURES = 32


def sd() -> Any:
    """Stable Diffusion."""
    return stable_diffusion()


def sdxl() -> Any:
    """Stable Diffusion XL."""
    return stable_diffusion_xl()


def lcm() -> Any:
    """LCM."""
    return latent_consistency()


def deepfloyd() -> Any:
    """DeepFloyd IF, which draws pixels."""
    torch.manual_seed(1)
    tokenizer = t5_tokenizer()
    unet = new(
        "UNet2DConditionModel",
        sample_size=32,
        layers_per_block=1,
        block_out_channels=[32, 64],
        down_block_types=["ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"],
        mid_block_type="UNetMidBlock2DSimpleCrossAttn",
        up_block_types=["SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"],
        in_channels=3,
        out_channels=6,
        cross_attention_dim=32,
        encoder_hid_dim=_T5_FEATURES,
        attention_head_dim=8,
        addition_embed_type="text",
        addition_embed_type_num_heads=2,
        cross_attention_norm="group_norm",
        resnet_time_scale_shift="scale_shift",
        act_fn="gelu",
    )
    scheduler = new("DDPMScheduler", thresholding=True, dynamic_thresholding_ratio=0.95, variance_type="learned_range")
    return seeded(
        "IFPipeline",
        tokenizer=tokenizer,
        text_encoder=t5_encoder(tokenizer),
        unet=unet,
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        watermarker=None,
        requires_safety_checker=False,
    )


def _clip_vision() -> Any:
    config = new(
        "CLIPVisionConfig",
        hidden_size=16,
        projection_dim=_CLIP_FEATURES,
        intermediate_size=16,
        num_attention_heads=2,
        num_hidden_layers=1,
        image_size=28,
        patch_size=14,
    )
    return new("CLIPVisionModelWithProjection", config=config)


def kandinsky_2() -> Any:
    """Kandinsky 2.2 with its prior."""
    torch.manual_seed(2)
    text = clip(projection_dim=_CLIP_FEATURES)
    prior = new("PriorTransformer", num_attention_heads=2, attention_head_dim=12, embedding_dim=32, num_layers=1)
    with torch.no_grad():
        # It is 0 otherwise, and the prior's answer with it.
        prior.clip_std.fill_(1.0)
    unet = new(
        "UNet2DConditionModel",
        in_channels=4,
        out_channels=8,
        addition_embed_type="image",
        down_block_types=("ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"),
        up_block_types=("SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"),
        mid_block_type="UNetMidBlock2DSimpleCrossAttn",
        block_out_channels=(32, 64),
        layers_per_block=1,
        encoder_hid_dim=_CLIP_FEATURES,
        encoder_hid_dim_type="image_proj",
        cross_attention_dim=32,
        attention_head_dim=4,
        resnet_time_scale_shift="scale_shift",
    )
    return seeded(
        "KandinskyV22CombinedPipeline",
        unet=unet,
        scheduler=new("DDIMScheduler", beta_schedule="linear", clip_sample=False, set_alpha_to_one=False),
        movq=vector_quantised(),
        prior_prior=prior,
        prior_image_encoder=_clip_vision(),
        prior_text_encoder=text["text_encoder"],
        prior_tokenizer=text["tokenizer"],
        prior_scheduler=new(
            "UnCLIPScheduler", variance_type="fixed_small_log", prediction_type="sample", clip_sample_range=10.0
        ),
        prior_image_processor=new("CLIPImageProcessor", crop_size=28, size=28),
    )


def kandinsky_3() -> Any:
    """Kandinsky 3, which rounds sizes itself."""
    torch.manual_seed(3)
    tokenizer = t5_tokenizer()
    unet = new(
        "Kandinsky3UNet",
        in_channels=4,
        time_embedding_dim=4,
        groups=2,
        attention_head_dim=4,
        layers_per_block=3,
        block_out_channels=(32, 64),
        cross_attention_dim=4,
        encoder_hid_dim=_T5_FEATURES,
    )
    return seeded(
        "Kandinsky3Pipeline",
        tokenizer=tokenizer,
        text_encoder=t5_encoder(tokenizer),
        unet=unet,
        scheduler=new("DDPMScheduler", beta_schedule="squaredcos_cap_v2"),
        movq=vector_quantised(),
    )


def kandinsky_5() -> Any:
    """Kandinsky 5, whose answer is named `image`."""
    torch.manual_seed(4)
    tokenizer = qwen_tokenizer()
    transformer = new(
        "Kandinsky5Transformer3DModel",
        in_visual_dim=16,
        in_text_dim=16,
        in_text_dim2=32,
        time_dim=16,
        out_visual_dim=16,
        patch_size=(1, 2, 2),
        model_dim=16,
        ff_dim=32,
        num_text_blocks=1,
        num_visual_blocks=1,
        axes_dims=(1, 1, 2),
        visual_cond=False,
        attention_type="regular",
    )
    return seeded(
        "Kandinsky5T2IPipeline",
        transformer=transformer,
        vae=eight(16),
        scheduler=flow(shift=7.0),
        text_encoder=qwen_encoder(tokenizer),
        tokenizer=qwen_processor(tokenizer),
        **clip("_2", is_projected=False),
    )


def hunyuan_image(*, is_distilled: bool = False) -> Any:
    """HunyuanImage 2.1, whose guidance is a component; the distilled one takes a scale instead."""
    torch.manual_seed(5)
    tokenizer = qwen_tokenizer()
    glyphs = {"vocab_size": 384, "d_model": 32, "d_kv": 4, "d_ff": 16, "num_layers": 2, "num_heads": 2}
    transformer = new(
        "HunyuanImageTransformer2DModel",
        in_channels=4,
        out_channels=4,
        num_attention_heads=4,
        attention_head_dim=8,
        num_layers=1,
        num_single_layers=1,
        num_refiner_layers=1,
        patch_size=(1, 1),
        guidance_embeds=is_distilled,
        text_embed_dim=16,
        text_embed_2_dim=32,
        rope_axes_dim=(4, 4),
    )
    guiders = {name: None if is_distilled else new("AdaptiveProjectedMixGuidance") for name in ("guider", "ocr_guider")}
    return seeded(
        "HunyuanImagePipeline",
        scheduler=flow(shift=7.0),
        vae=_hunyuan_vae(),
        text_encoder=qwen_encoder(tokenizer, layers=3),
        tokenizer=tokenizer,
        text_encoder_2=new("T5EncoderModel", config=new("T5Config", **glyphs)),
        tokenizer_2=new("ByT5Tokenizer"),
        transformer=transformer,
        **guiders,
    )


def _hunyuan_vae() -> Any:
    return new(
        "AutoencoderKLHunyuanImage",
        in_channels=3,
        out_channels=3,
        latent_channels=4,
        block_out_channels=(32, 32, 32),
        layers_per_block=1,
        scaling_factor=0.476986,
        spatial_compression_ratio=4,
        sample_size=64,
    )


def hunyuan_image_distilled() -> Any:
    """HunyuanImage, distilled."""
    return hunyuan_image(is_distilled=True)


def hidream() -> Any:
    """HiDream: two CLIPs, T5 and Llama."""
    torch.manual_seed(13)
    tokenizer, t5 = llama_tokenizer(), t5_tokenizer()
    transformer = new(
        "HiDreamImageTransformer2DModel",
        patch_size=2,
        in_channels=4,
        out_channels=4,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=8,
        num_attention_heads=4,
        caption_channels=[_T5_FEATURES, 16],
        text_emb_dim=2 * 24,
        num_routed_experts=4,
        num_activated_experts=2,
        axes_dims_rope=(4, 2, 2),
        max_resolution=(32, 32),
        llama_layers=(0, 1),
    )
    return seeded(
        "HiDreamImagePipeline",
        scheduler=flow(),
        vae=kl(4),
        **clip(max_position_embeddings=248),
        **clip("_2", max_position_embeddings=248),
        text_encoder_3=t5_encoder(t5),
        tokenizer_3=t5,
        text_encoder_4=reader("LlamaForCausalLM", "LlamaConfig", tokenizer),
        tokenizer_4=tokenizer,
        transformer=transformer,
    )


def ideogram_4() -> Any:
    """Ideogram 4, whose guidance has a network of its own and a schedule for each step."""
    torch.manual_seed(8)
    tokenizer = qwen_tokenizer()
    sizes = {"in_channels": 8, "num_layers": 1, "attention_head_dim": 12, "num_attention_heads": 2}
    sizes |= {"intermediate_size": 16, "adaln_dim": 16, "llm_features_dim": 13 * 16, "mrope_section": (2, 2, 2)}
    return seeded(
        "Ideogram4Pipeline",
        scheduler=flow(),
        vae=flux_2_klein().vae,
        text_encoder=qwen_3_vl("Qwen3VLModel", tokenizer, layers=36),
        tokenizer=tokenizer,
        transformer=new("Ideogram4Transformer2DModel", **sizes),
        unconditional_transformer=new("Ideogram4Transformer2DModel", **sizes),
    )
