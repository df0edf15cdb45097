"""Tiny models of every family, with random weights, in diffusers' own classes and files."""

from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline
from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl import StableDiffusionXLPipeline
from diffusers.schedulers.scheduling_euler_discrete import EulerDiscreteScheduler
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from config.catalogue import Catalogue
from pipeline.protocol.models import Bounds, Defaults, Family, FolderSource, ModelSpec

POCKET = Path(__file__).parents[3] / "models" / "pocket"
PROJECTION = 24
_TIME_FEATURES = 8


def catalogue_of(folder: Path, family: Family, sampler: str = "Euler") -> Catalogue:
    """A catalogue of one model."""
    spec = ModelSpec(
        key="tiny",
        title="Tiny",
        source=FolderSource(path=str(folder)),
        family=family,
        license="none",
        defaults=Defaults(sampler=sampler, width=64, height=64),
        bounds=Bounds(min_side=64),
    )
    return Catalogue(models=MappingProxyType({"tiny": spec}), default_key="tiny")


def made(some_class: Any, **options: Any) -> Any:
    """An instance; diffusers' annotations of its constructors are narrower than what they take."""
    return some_class(**options)


def in_float64(pipeline: Any) -> Any:
    """The pipeline as a reference, remembering the scheduler it came with."""
    pipeline.to(torch.float64)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.own_scheduler_config = dict(pipeline.scheduler.config)
    return pipeline


def clip_tokenizer(filling: str = "<|endoftext|>") -> CLIPTokenizer:
    """The shipped model's, perhaps with another filling."""
    return CLIPTokenizer.from_pretrained(POCKET / "tokenizer", pad_token=filling)


def clip_config(tokenizer: CLIPTokenizer, features: int = 32) -> CLIPTextConfig:
    return made(
        CLIPTextConfig,
        vocab_size=len(tokenizer),
        hidden_size=features,
        intermediate_size=2 * features,
        num_hidden_layers=3,
        num_attention_heads=2,
        projection_dim=PROJECTION,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def autoencoder(**options: Any) -> AutoencoderKL:
    """Four pixels a latent."""
    return made(
        AutoencoderKL,
        block_out_channels=(8, 16, 16),
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        norm_num_groups=4,
        sample_size=32,
        **options,
    )


def _scheduler(prediction_type: str) -> EulerDiscreteScheduler:
    return EulerDiscreteScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type=prediction_type,
        timestep_spacing="leading",
        steps_offset=1,
    )


def _unet(cross_features: int, **options: Any) -> UNet2DConditionModel:
    return made(
        UNet2DConditionModel,
        sample_size=16,
        block_out_channels=(16, 32),
        layers_per_block=1,
        norm_num_groups=4,
        attention_head_dim=(2, 4),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=cross_features,
        **options,
    )


def stable_diffusion(prediction_type: str = "epsilon", **unet: Any) -> StableDiffusionPipeline:
    """Stable Diffusion 1.x."""
    torch.manual_seed(1)
    tokenizer = clip_tokenizer()
    return made(
        StableDiffusionPipeline,
        vae=autoencoder(),
        text_encoder=CLIPTextModel(clip_config(tokenizer)),
        tokenizer=tokenizer,
        unet=_unet(32, **unet),
        scheduler=_scheduler(prediction_type),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def stable_diffusion_xl(
    prediction_type: str = "epsilon", *, zeros_for_nothing: bool = True, **unet: Any
) -> StableDiffusionXLPipeline:
    """Stable Diffusion XL; its second tokenizer fills with another token, as the real one does."""
    torch.manual_seed(2)
    tokenizers = clip_tokenizer(), clip_tokenizer("!")
    return made(
        StableDiffusionXLPipeline,
        vae=autoencoder(),
        text_encoder=CLIPTextModel(clip_config(tokenizers[0])),
        text_encoder_2=CLIPTextModelWithProjection(clip_config(tokenizers[1], features=48)),
        tokenizer=tokenizers[0],
        tokenizer_2=tokenizers[1],
        unet=_unet(
            32 + 48,
            addition_embed_type="text_time",
            addition_time_embed_dim=_TIME_FEATURES,
            projection_class_embeddings_input_dim=PROJECTION + 6 * _TIME_FEATURES,
            transformer_layers_per_block=(1, 2),
            use_linear_projection=True,
            **unet,
        ),
        scheduler=_scheduler(prediction_type),
        force_zeros_for_empty_prompt=zeros_for_nothing,
        add_watermarker=False,
    )
