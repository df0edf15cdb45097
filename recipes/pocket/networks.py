"""The three networks, the tokenizer and the scheduler of the pocket model, from diffusers and transformers."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import torch
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

LATENT_SIDE: Final = 16
"""Side of the latents of a 64 x 64 picture; a latent pixel covers 4 x 4 pixels."""

MAX_TOKENS: Final = 77
_WIDTH: Final = 192
_VOCABULARY: Final = 2048


def construct(some_class: Any, **options: Any) -> Any:
    """Make an instance. The annotations of diffusers and transformers reject arguments that their constructors take."""
    return some_class(**options)


def make_tokenizer(captions: Iterable[str]) -> CLIPTokenizer:
    """Train a CLIP tokenizer on captions. It splits unknown words into bytes."""
    base = CLIPTokenizer(
        vocab={"<|startoftext|>": 0, "<|endoftext|>": 1}, merges=[], model_max_length=MAX_TOKENS, do_lower_case=True
    )
    # This call keeps all rules of the tokenizer and learns only the tokens.
    trained = base.train_new_from_iterator(captions, _VOCABULARY, show_progress=False)
    trained.model_max_length = MAX_TOKENS
    return trained


def tokenize(tokenizer: Any, captions: Sequence[str]) -> torch.Tensor:
    """Token ids [captions, MAX_TOKENS], padded like those of the diffusers pipelines."""
    return tokenizer(
        list(captions), padding="max_length", max_length=MAX_TOKENS, truncation=True, return_tensors="pt"
    ).input_ids


def make_autoencoder() -> AutoencoderTiny:
    """Make the autoencoder: 1.3 M parameters, RGB [b, 3, 64, 64] to latents [b, 4, 16, 16]."""
    channels = (64, 64, 64)
    return AutoencoderTiny(
        encoder_block_out_channels=channels,
        decoder_block_out_channels=channels,
        num_encoder_blocks=(0, 2, 3),
        num_decoder_blocks=(3, 2, 0),
        latent_channels=4,
        scaling_factor=1.0,
    )


def make_text_encoder(tokenizer: CLIPTokenizer) -> CLIPTextModel:
    """Make the text encoder: 1.3 M parameters, ids [b, 77] to states [b, 77, 192] and pooled states [b, 192]."""
    return CLIPTextModel(
        construct(
            CLIPTextConfig,
            vocab_size=len(tokenizer),
            hidden_size=_WIDTH,
            intermediate_size=2 * _WIDTH,
            num_hidden_layers=3,
            num_attention_heads=4,
            max_position_embeddings=MAX_TOKENS,
            projection_dim=_WIDTH,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def make_unet() -> UNet2DConditionModel:
    """Make the U-Net: 8.9 M parameters, cross-attention at 8 x 8 and 4 x 4 latent pixels and in the middle block.

    The text also enters the time embedding.
    """
    return construct(
        UNet2DConditionModel,
        sample_size=LATENT_SIDE,
        block_out_channels=(64, 128, 160),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        layers_per_block=1,
        attention_head_dim=(2, 4, 5),
        norm_num_groups=16,
        cross_attention_dim=_WIDTH,
        addition_embed_type="text",
        addition_embed_type_num_heads=8,
    )


def make_scheduler() -> DDIMScheduler:
    """Make the scheduler of the training noise, which the exported pipeline names too."""
    return DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.02,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        timestep_spacing="trailing",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    )
