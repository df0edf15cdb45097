"""Parts that several tiny families have: VAEs, schedulers, and text encoders with tokenizers that are made here."""

from pathlib import Path
from typing import Any, Final

import diffusers
import torch
import transformers
from diffusers.modular_pipelines.modular_pipeline import ModularPipeline
from tokenizers import pre_tokenizers

from tests.pipeline.engine.tiny import autoencoder, clip_config, clip_tokenizer, qwen_marks, qwen_tokenizer

_WIDTH: Final = 16
"""Features of the language models."""
_MARKS: Final = ("<unk>", "<s>", "</s>", "<pad>", "<mask>", "<bos>", "<eos>")


def new(name: str, **options: Any) -> Any:
    """An instance of a class of diffusers or transformers, by its name."""
    return getattr(diffusers if hasattr(diffusers, name) else transformers, name)(**options)


def seeded(name: str, **components: Any) -> Any:
    """A pipeline by its class's name. Seed torch before its networks are made: then each run has the same weights."""
    return wake(new(name, **components))


def wake(pipeline: Any) -> Any:
    """The pipeline, whose networks answer something in every layer."""
    for part in pipeline.components.values():
        if isinstance(part, torch.nn.Module):
            part.eval()
            with torch.no_grad():
                # Trained networks have no such zeros; many begin with layers that answer nothing.
                for weights in part.parameters():
                    if weights.dim() > 1 and not weights.any():
                        torch.nn.init.normal_(weights, std=0.02)
    return pipeline


def save(pipeline: Any, folder: Path) -> None:
    """Save a pipeline in the layout of diffusers; one of blocks would otherwise name another place for its parts."""
    is_of_blocks = isinstance(pipeline, ModularPipeline)
    pipeline.save_pretrained(
        str(folder), safe_serialization=True, **({"overwrite_modular_index": True} if is_of_blocks else {})
    )


def flow(**options: Any) -> Any:
    """Scheduler of flow models."""
    return new("FlowMatchEulerDiscreteScheduler", **options)


def kl(channels: int = 4, **options: Any) -> Any:
    """VAE of FLUX and later families; four pixels a latent."""
    return autoencoder(latent_channels=channels, shift_factor=0.06, scaling_factor=1.5, **options)


def eight(channels: int = 4, **options: Any) -> Any:
    """VAE of eight pixels a latent, for pipelines that count on that number."""
    return new(
        "AutoencoderKL",
        block_out_channels=(8, 8, 8, 8),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        norm_num_groups=4,
        latent_channels=channels,
        **options,
    )


def deep_compression() -> Any:
    """VAE of Sana; two pixels a latent."""
    return new(
        "AutoencoderDC",
        in_channels=3,
        latent_channels=4,
        attention_head_dim=2,
        encoder_block_types=("ResBlock", "EfficientViTBlock"),
        decoder_block_types=("ResBlock", "EfficientViTBlock"),
        encoder_block_out_channels=(8, 8),
        decoder_block_out_channels=(8, 8),
        encoder_qkv_multiscales=((), (5,)),
        decoder_qkv_multiscales=((), (5,)),
        encoder_layers_per_block=(1, 1),
        decoder_layers_per_block=[1, 1],
        downsample_block_type="conv",
        upsample_block_type="interpolate",
        decoder_norm_types="rms_norm",
        decoder_act_fns="silu",
        scaling_factor=0.41407,
    )


def vector_quantised() -> Any:
    """VAE of Kandinsky 2 and 3 (MoVQ); eight pixels a latent."""
    return new(
        "VQModel",
        block_out_channels=[32, 32, 32, 32],
        down_block_types=["DownEncoderBlock2D"] * 3 + ["AttnDownEncoderBlock2D"],
        up_block_types=["AttnUpDecoderBlock2D"] + ["UpDecoderBlock2D"] * 3,
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=8,
        norm_type="spatial",
        num_vq_embeddings=12,
        vq_embed_dim=4,
    )


def letters() -> dict[str, int]:
    """Vocabulary of one token a byte, behind the usual marks."""
    names = (*_MARKS, *sorted(pre_tokenizers.ByteLevel.alphabet()), "\u2581")
    return {name: number for number, name in enumerate(names)}


def gemma_tokenizer() -> Any:
    """One token a letter, as Gemma's class reads it."""
    return new("GemmaTokenizer", vocab=letters(), merges=[], add_bos_token=True)


def llama_tokenizer() -> Any:
    """One token a letter, as Llama's class reads it."""
    return new("LlamaTokenizer", vocab=letters(), merges=[], pad_token="<pad>", add_bos_token=True)  # noqa: S106 - a mark of texts


def bert_tokenizer() -> Any:
    """Words of single letters."""
    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces = [*"abcdefghijklmnopqrstuvwxyz", *(f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz")]
    return new("BertTokenizer", vocab={name: number for number, name in enumerate([*marks, *pieces])})


def _language(tokenizer: Any, layers: int) -> dict[str, Any]:
    return {
        "vocab_size": len(tokenizer),
        "hidden_size": _WIDTH,
        "intermediate_size": _WIDTH,
        "num_hidden_layers": layers,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
    }


def reader(model: str, config: str, tokenizer: Any, layers: int = 2, **options: Any) -> Any:
    """A language model as text encoder, of 16 features."""
    return new(model, config=new(config, **_language(tokenizer, layers), **options))


def qwen_3_vl(model: str, tokenizer: Any, layers: int = 2) -> Any:
    """Qwen 3 VL as text encoder, of 16 features."""
    text = _language(tokenizer, layers) | {
        "rope_parameters": {"mrope_section": [2, 1, 1], "rope_type": "default", "rope_theta": 10000.0}
    }
    vision = {"depth": 1, "hidden_size": 16, "intermediate_size": 16, "num_heads": 2, "out_hidden_size": 16}
    vision |= {"deepstack_visual_indexes": [0], "num_position_embeddings": 16}
    config = new("Qwen3VLConfig", text_config=text, vision_config=vision, **qwen_marks(tokenizer))
    return new(model, config=config)


def qwen_3(model: str = "Qwen3Model", layers: int = 2) -> dict[str, Any]:
    """Qwen 3 with its tokenizer, as components."""
    tokenizer = qwen_tokenizer()
    return {"text_encoder": reader(model, "Qwen3Config", tokenizer, layers), "tokenizer": tokenizer}


def clip(number: str = "", *, is_projected: bool = True, **options: Any) -> dict[str, Any]:
    """CLIP with its tokenizer, as components; `number` ends their names."""
    tokenizer = clip_tokenizer()
    model = "CLIPTextModelWithProjection" if is_projected else "CLIPTextModel"
    return {
        f"text_encoder{number}": new(model, config=clip_config(tokenizer, **options)),
        f"tokenizer{number}": tokenizer,
    }
