"""Tiny models of every family, with random weights, in diffusers' own classes and files."""

from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.autoencoders.autoencoder_kl_flux2 import AutoencoderKLFlux2
from diffusers.models.autoencoders.autoencoder_kl_qwenimage import AutoencoderKLQwenImage
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from diffusers.models.transformers.pixart_transformer_2d import PixArtTransformer2DModel
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
from diffusers.models.transformers.transformer_flux2 import Flux2Transformer2DModel
from diffusers.models.transformers.transformer_qwenimage import QwenImageTransformer2DModel
from diffusers.models.transformers.transformer_sd3 import SD3Transformer2DModel
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.pipelines.flux.pipeline_flux import FluxPipeline
from diffusers.pipelines.flux2.pipeline_flux2_klein import Flux2KleinPipeline
from diffusers.pipelines.latent_consistency_models.pipeline_latent_consistency_text2img import (
    LatentConsistencyModelPipeline,
)
from diffusers.pipelines.pixart_alpha.pipeline_pixart_sigma import PixArtSigmaPipeline
from diffusers.pipelines.qwenimage.pipeline_qwenimage_edit_plus import QwenImageEditPlusPipeline
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline
from diffusers.pipelines.stable_diffusion_3.pipeline_stable_diffusion_3 import StableDiffusion3Pipeline
from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl import StableDiffusionXLPipeline
from diffusers.schedulers.scheduling_dpmsolver_multistep import DPMSolverMultistepScheduler
from diffusers.schedulers.scheduling_euler_discrete import EulerDiscreteScheduler
from diffusers.schedulers.scheduling_flow_match_euler_discrete import FlowMatchEulerDiscreteScheduler
from diffusers.schedulers.scheduling_lcm import LCMScheduler
from tokenizers import pre_tokenizers
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2Tokenizer,
    Qwen2VLImageProcessor,
    Qwen2VLProcessor,
    Qwen2VLVideoProcessor,
    Qwen3Config,
    Qwen3ForCausalLM,
    T5Config,
    T5EncoderModel,
    T5Tokenizer,
)

from config.catalogue import Catalogue
from pipeline.protocol.catalogue.models import Bounds, Defaults, ModelSpec
from pipeline.protocol.catalogue.networks import Family, FolderSource
from pipeline.protocol.passes import Pass

POCKET = Path(__file__).parents[3] / "models" / "pocket"
PROJECTION = 24
_TIME_FEATURES = 8
_T5_FEATURES = 96
CHAT = (
    "{% for message in messages %}<|im_start|>{% if message['content'] is string %}{{ message['content'] }}"
    "{% else %}{{ message['content'][0]['text'] }}{% endif %}<|im_end|>{% endfor %}"
)
"""Template of chats; the real one also names who speaks."""


def catalogue_of(
    folder: Path, family: Family, sampler: str = "Euler", *, key: str = "tiny", edits: bool = False
) -> Catalogue:
    """A catalogue of one model."""
    spec = ModelSpec(
        key=key,
        title="Tiny",
        source=FolderSource(path=str(folder)),
        family=family,
        license="none",
        defaults=Defaults(sampler=sampler, width=64, height=64),
        bounds=Bounds(min_side=64),
        edits=edits,
    )
    return Catalogue(models=MappingProxyType({key: spec}), default_key=key)


def pass_of(steps: int, side: int = 64) -> Pass:
    """One pass of so many steps, from noise, for a square picture."""
    return Pass(width=side, height=side, schedule_steps=steps, steps=steps, guidance_scale=5.0)


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


def clip_config(tokenizer: CLIPTokenizer, features: int = 32, **options: Any) -> CLIPTextConfig:
    return made(
        CLIPTextConfig,
        vocab_size=len(tokenizer),
        hidden_size=features,
        intermediate_size=2 * features,
        num_hidden_layers=3,
        num_attention_heads=2,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        **{"projection_dim": PROJECTION, **options},
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


def single_answer_autoencoder(**options: Any) -> AutoencoderTiny:
    """The kind of VAE that the shipped model has: it encodes a picture in one way, so nothing is drawn by chance."""
    return made(
        AutoencoderTiny,
        **options,
        encoder_block_out_channels=(8, 8, 8),
        decoder_block_out_channels=(8, 8, 8),
        num_encoder_blocks=(1, 1, 1),
        num_decoder_blocks=(1, 1, 1),
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
        layers_per_block=1,
        norm_num_groups=4,
        attention_head_dim=(2, 4),
        **{
            "block_out_channels": (16, 32),
            "cross_attention_dim": cross_features,
            "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
            "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
            **options,
        },
    )


def stable_diffusion(
    prediction_type: str = "epsilon", *, has_single_answer: bool = False, features: int = 32, **unet: Any
) -> StableDiffusionPipeline:
    """Stable Diffusion 1.x, perhaps with the kind of VAE that the shipped model has."""
    torch.manual_seed(1)
    tokenizer = clip_tokenizer()
    return made(
        StableDiffusionPipeline,
        vae=single_answer_autoencoder() if has_single_answer else autoencoder(),
        text_encoder=CLIPTextModel(clip_config(tokenizer, features)),
        tokenizer=tokenizer,
        unet=_unet(features, **unet),
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


def t5_tokenizer() -> T5Tokenizer:
    """One token a character."""
    marks = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("\u2581", -2.0)]
    return T5Tokenizer(vocab=[*marks, *((chr(code), -3.0) for code in range(33, 127))], extra_ids=0)


def t5_encoder(tokenizer: T5Tokenizer) -> T5EncoderModel:
    config = T5Config(
        vocab_size=len(tokenizer), d_model=_T5_FEATURES, d_kv=8, d_ff=32, num_layers=2, num_heads=2, dropout_rate=0.0
    )
    return T5EncoderModel(config)


def stable_diffusion_3(*, has_t5: bool = True, **scheduler: Any) -> StableDiffusion3Pipeline:
    """Stable Diffusion 3, with or without T5."""
    torch.manual_seed(3)
    tokenizers = clip_tokenizer(), clip_tokenizer("!")
    t5 = t5_tokenizer()
    return made(
        StableDiffusion3Pipeline,
        vae=autoencoder(
            latent_channels=16, shift_factor=0.06, scaling_factor=1.5, use_quant_conv=False, use_post_quant_conv=False
        ),
        text_encoder=CLIPTextModelWithProjection(clip_config(tokenizers[0])),
        tokenizer=tokenizers[0],
        text_encoder_2=CLIPTextModelWithProjection(clip_config(tokenizers[1], features=48)),
        tokenizer_2=tokenizers[1],
        text_encoder_3=t5_encoder(t5) if has_t5 else None,
        tokenizer_3=t5 if has_t5 else None,
        transformer=SD3Transformer2DModel(
            sample_size=16,
            patch_size=2,
            in_channels=16,
            out_channels=16,
            num_layers=2,
            attention_head_dim=8,
            num_attention_heads=4,
            caption_projection_dim=32,
            joint_attention_dim=_T5_FEATURES,
            pooled_projection_dim=2 * PROJECTION,
            pos_embed_max_size=32,
        ),
        scheduler=made(FlowMatchEulerDiscreteScheduler, shift=3.0, **scheduler),
    )


def latent_consistency() -> LatentConsistencyModelPipeline:
    """A pipeline that takes no negative prompt."""
    pipeline = stable_diffusion(time_cond_proj_dim=16)
    components = {name: part for name, part in pipeline.components.items() if name != "scheduler"}
    return made(
        LatentConsistencyModelPipeline,
        **components,
        scheduler=LCMScheduler.from_config(pipeline.scheduler.config),
        requires_safety_checker=False,
    )


def pixart_sigma() -> PixArtSigmaPipeline:
    """A transformer that predicts noise, read by T5; its pipeline has the callbacks of old."""
    torch.manual_seed(4)
    tokenizer = t5_tokenizer()
    return made(
        PixArtSigmaPipeline,
        tokenizer=tokenizer,
        text_encoder=t5_encoder(tokenizer),
        vae=autoencoder(),
        transformer=made(
            PixArtTransformer2DModel,
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
        ),
        scheduler=DPMSolverMultistepScheduler(),
    )


def flux(some_class: Any = FluxPipeline, *, takes_scale: bool = True) -> Any:
    """FLUX; its relatives have the same components. Schnell's transformer takes no guidance scale."""
    torch.manual_seed(5)
    tokenizer, t5 = clip_tokenizer(), t5_tokenizer()
    return made(
        some_class,
        scheduler=made(FlowMatchEulerDiscreteScheduler),
        vae=autoencoder(
            latent_channels=1, shift_factor=0.06, scaling_factor=1.5, use_quant_conv=False, use_post_quant_conv=False
        ),
        text_encoder=CLIPTextModel(clip_config(tokenizer)),
        tokenizer=tokenizer,
        text_encoder_2=t5_encoder(t5),
        tokenizer_2=t5,
        transformer=made(
            FluxTransformer2DModel,
            patch_size=1,
            in_channels=4,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=_T5_FEATURES,
            pooled_projection_dim=32,
            axes_dims_rope=(4, 4, 8),
            guidance_embeds=takes_scale,
        ),
    )


def qwen_tokenizer() -> Qwen2Tokenizer:
    """One token a byte, and Qwen's marks."""
    letters = {letter: number for number, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    marks = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>"]
    return Qwen2Tokenizer(
        vocab=letters,
        merges=[],
        additional_special_tokens=[*marks[1:], "<|video_pad|>"],
        chat_template=CHAT,
    )


def flux_2_klein(**config: Any) -> Flux2KleinPipeline:
    """FLUX.2 klein, which draws and edits, with several pictures too."""
    torch.manual_seed(6)
    tokenizer = qwen_tokenizer()
    return made(
        Flux2KleinPipeline,
        scheduler=made(FlowMatchEulerDiscreteScheduler),
        vae=made(
            AutoencoderKLFlux2,
            block_out_channels=(8, 16, 16),
            down_block_types=("DownEncoderBlock2D",) * 3,
            up_block_types=("UpDecoderBlock2D",) * 3,
            layers_per_block=1,
            norm_num_groups=4,
            latent_channels=2,
        ),
        text_encoder=Qwen3ForCausalLM(
            made(
                Qwen3Config,
                vocab_size=len(tokenizer),
                hidden_size=16,
                intermediate_size=16,
                num_hidden_layers=27,
                num_attention_heads=2,
                num_key_value_heads=2,
                head_dim=8,
            )
        ),
        tokenizer=tokenizer,
        transformer=made(
            Flux2Transformer2DModel,
            in_channels=8,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=3 * 16,
            timestep_guidance_channels=16,
            axes_dims_rope=(4, 4, 4, 4),
            guidance_embeds=False,
        ),
        **config,
    )


def qwen_encoder(tokenizer: Qwen2Tokenizer, layers: int = 1) -> Qwen2_5_VLForConditionalGeneration:
    """Qwen 2.5 VL, which reads the texts of Qwen-Image and others."""
    text: dict[str, Any] = {
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": layers,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "rope_parameters": {"mrope_section": [1, 1, 2], "rope_type": "default", "type": "default"},
        "vocab_size": len(tokenizer),
    }
    vision: dict[str, Any] = {
        "depth": 1,
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_heads": 2,
        "out_hidden_size": 16,
        "fullatt_block_indexes": [0],
    }
    config = Qwen2_5_VLConfig(text_config=text, vision_config=vision, **qwen_marks(tokenizer))
    return Qwen2_5_VLForConditionalGeneration(config)


def qwen_marks(tokenizer: Qwen2Tokenizer) -> dict[str, Any]:
    """Numbers of the tokens that stand for pictures."""
    return {
        f"{name}_token_id": tokenizer.convert_tokens_to_ids(f"<|{word}|>")
        for name, word in (
            ("image", "image_pad"),
            ("video", "video_pad"),
            ("vision_start", "vision_start"),
            ("vision_end", "vision_end"),
        )
    }


def qwen_processor(tokenizer: Qwen2Tokenizer) -> Qwen2VLProcessor:
    """Processor of texts and pictures."""
    return Qwen2VLProcessor(
        image_processor=Qwen2VLImageProcessor(),
        tokenizer=tokenizer,
        video_processor=Qwen2VLVideoProcessor(),
        chat_template=CHAT,
    )


def qwen_autoencoder() -> AutoencoderKLQwenImage:
    """A VAE of videos with one frame; two pixels a latent."""
    return made(
        AutoencoderKLQwenImage,
        base_dim=4,
        z_dim=4,
        dim_mult=[1, 1],
        num_res_blocks=1,
        temperal_downsample=[False],
        latents_mean=[0.0] * 4,
        latents_std=[1.0] * 4,
    )


def qwen_transformer() -> QwenImageTransformer2DModel:
    return made(
        QwenImageTransformer2DModel,
        in_channels=16,
        out_channels=4,
        num_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=16,
        axes_dims_rope=(8, 4, 4),
    )


def qwen_edit_plus() -> QwenImageEditPlusPipeline:
    """Qwen-Image-Edit-Plus, which edits only, with several pictures too."""
    torch.manual_seed(7)
    tokenizer = qwen_tokenizer()
    return made(
        QwenImageEditPlusPipeline,
        scheduler=made(FlowMatchEulerDiscreteScheduler),
        vae=qwen_autoencoder(),
        text_encoder=qwen_encoder(tokenizer),
        tokenizer=tokenizer,
        processor=qwen_processor(tokenizer),
        transformer=qwen_transformer(),
    )
