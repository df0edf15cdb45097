"""The three networks and the tokenizer, as diffusers and transformers build them, at the pocket model's size."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import torch
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

LATENT_SIDE: Final = 16
"""Of a picture with 64 x 64 pixels; a latent pixel stands for 4 x 4."""

MAX_TOKENS: Final = 77
_WIDTH: Final = 192
_VOCABULARY: Final = 2048


def made(some_class: Any, **options: Any) -> Any:
    """An instance; the annotations of diffusers and transformers are narrower than what their constructors take."""
    return some_class(**options)


def make_tokenizer(captions: Iterable[str]) -> CLIPTokenizer:
    """A tokenizer of CLIP's kind whose pieces are learnt from captions; whatever else is typed is spelt in bytes."""
    base = CLIPTokenizer(
        vocab={"<|startoftext|>": 0, "<|endoftext|>": 1}, merges=[], model_max_length=MAX_TOKENS, do_lower_case=True
    )
    # The call of transformers that keeps every rule of the tokenizer and learns pieces alone.
    made = base.train_new_from_iterator(captions, _VOCABULARY, show_progress=False)
    made.model_max_length = MAX_TOKENS
    return made


def tokenize(tokenizer: Any, captions: Sequence[str]) -> torch.Tensor:
    """Ids [captions, MAX_TOKENS], padded as the pipelines of diffusers pad."""
    return tokenizer(
        list(captions), padding="max_length", max_length=MAX_TOKENS, truncation=True, return_tensors="pt"
    ).input_ids


def make_autoencoder() -> AutoencoderTiny:
    """1.3 M parameters; encodes RGB [b, 3, 64, 64] to [b, 4, 16, 16]."""
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
    """1.3 M parameters; ids [b, 77] to states [b, 77, 192] and one pooled state [b, 192]."""
    return CLIPTextModel(
        made(
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
    """8.9 M parameters; sees the words at 8 x 8 and 4 x 4 latent pixels, in the middle, and with the time."""
    return made(
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
    """The noise of training, as the exported pipeline names it too."""
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
