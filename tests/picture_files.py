"""Picture files as other tools write them, each made here: the pixels mean nothing, the words everything."""

import gzip
import io
import json
import struct
import zlib
from typing import Any

from PIL import ExifTags, Image, PngImagePlugin

from pipeline.protocol.reading import Parameters, Wanted
from pipeline.reading.answering import answer

A1111 = "a red apple\nNegative prompt: blurry\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 12345, Size: 64x64"


def parameters_in(data: bytes) -> str | None:
    """What the reading process finds in a file."""
    found, _ = answer(data, Wanted.PARAMETERS)
    return found.text if isinstance(found, Parameters) else None


def picture_in(png: bytes | bytearray) -> tuple[str, tuple[int, int], bytes]:
    """Mode, size and pixels of a PNG file. Two processes may deflate equal pixels to other bytes."""
    picture = Image.open(io.BytesIO(png), formats=("PNG",))
    return picture.mode, picture.size, picture.tobytes()


def saved(picture: Image.Image, kind: str, **how: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **how)
    return file.getvalue()


def png(picture: Image.Image | None = None, /, **texts: str) -> bytes:
    """Keys may be written with `_` for a blank."""
    return png_of({key.replace("_", " "): value for key, value in texts.items()}, picture)


def png_of(texts: dict[str, Any], picture: Image.Image | None = None) -> bytes:
    info = PngImagePlugin.PngInfo()
    for key, value in texts.items():
        info.add_text(key, value if isinstance(value, str) else json.dumps(value))
    return saved(picture or Image.new("RGB", (16, 16)), "PNG", pnginfo=info)


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def raw_png(*chunks: bytes, size: tuple[int, int] = (16, 16), pixels: bytes | None = None) -> bytes:
    """A PNG of RGB with these chunks before its pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0))
    rows = zlib.compress(bytes((1 + 3 * size[0]) * size[1])) if pixels is None else pixels
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def with_comment(raw: bytes, kind: str = "JPEG", *, endian: str = "<") -> bytes:
    """A picture with this user's comment, byte by byte."""
    exif = Image.Exif()
    exif.endian = endian
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = raw
    # Pillow takes EXIF data for empty whose outer directory is.
    return saved(Image.new("RGB", (16, 16)), kind, exif=exif.tobytes())


def with_tags(tags: dict[int, str], kind: str = "WEBP") -> bytes:
    """A picture with these texts in the first directory of its EXIF data."""
    exif = Image.Exif()
    for tag, text in tags.items():
        exif[tag] = text
    return saved(Image.new("RGB", (16, 16)), kind, exif=exif)


def stealth(text: str, *, is_rgb: bool = False, is_packed: bool = True, size: tuple[int, int] = (96, 80)) -> bytes:
    """A PNG with words in the lowest bits of its pixels, column by column, as sd_webui_stealth_pnginfo writes them."""
    name = f"stealth_{'rgb' if is_rgb else 'png'}{'comp' if is_packed else 'info'}".encode()
    words = gzip.compress(text.encode()) if is_packed else text.encode()
    message = name + struct.pack(">I", 8 * len(words)) + words
    bits = [byte >> place & 1 for byte in message for place in range(7, -1, -1)]
    picture = Image.effect_noise(size, 90).convert("RGB")
    if not is_rgb:
        picture.putalpha(255)
    for number, bit in enumerate(bits):
        at, channel = divmod(number, 3) if is_rgb else (number, 3)
        spot = (at // size[1], at % size[1])
        values = list(picture.getpixel(spot))  # pyright: ignore[reportArgumentType] - a tuple of channels
        values[channel] = values[channel] & 0xFE | bit
        picture.putpixel(spot, tuple(values))
    return saved(picture, "PNG")


NOVELAI = {
    "Title": "AI generated image",
    "Description": "1girl, red apple",
    "Software": "NovelAI",
    "Source": "NovelAI Diffusion V4.5 4BDE2A90",
    "Generation time": "4.1",
    "Comment": json.dumps(
        {
            "prompt": "1girl, red apple",
            "steps": 28,
            "height": 1216,
            "width": 832,
            "scale": 5.0,
            "seed": 12345,
            "noise_schedule": "karras",
            "sampler": "k_euler_ancestral",
            "uc": "blurry",
            "v4_prompt": {"caption": {"base_caption": "1girl", "char_captions": [{"char_caption": "girl, smile"}]}},
            "v4_negative_prompt": {"caption": {"base_caption": "blurry", "char_captions": [{"char_caption": "hat"}]}},
        }
    ),
}

GRAPH: dict[str, Any] = {
    "3": {
        "class_type": "KSampler",
        "inputs": {
            "seed": 12345,
            "steps": 20,
            "cfg": 7.5,
            "sampler_name": "euler",
            "scheduler": "karras",
            "denoise": 1,
            "model": ["4", 0],
            "positive": ["6", 0],
            "negative": ["7", 0],
            "latent_image": ["5", 0],
        },
    },
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "sd15.safetensors"}},
    "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 768, "batch_size": 1}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "red apple", "clip": ["4", 1]}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["4", 1]}},
    "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
    "9": {"class_type": "SaveImage", "inputs": {"images": ["8", 0], "filename_prefix": "ComfyUI"}},
}


def node(number: int, kind: str, values: object = (), mode: int = 0, **links: int) -> dict[str, Any]:
    """A node of a workflow; `links` by the names of its inputs."""
    inputs = [{"name": name, "type": "*", "link": link} for name, link in links.items()]
    return {"id": number, "type": kind, "mode": mode, "inputs": inputs, "widgets_values": values}


WORKFLOW: dict[str, Any] = {
    "nodes": [
        node(
            *(3, "KSampler", [12345, "randomize", 20, 7.5, "euler", "karras", 1]),
            model=1,
            positive=4,
            negative=6,
            latent_image=2,
        ),
        node(4, "CheckpointLoaderSimple", ["sd15.safetensors"]),
        node(5, "EmptyLatentImage", [512, 768, 1]),
        node(6, "CLIPTextEncode", ["red apple"], clip=3),
        node(7, "CLIPTextEncode", ["blurry"], clip=5),
        *(node(number, "Note", [f"note {number}"]) for number in range(20, 220)),
    ],
    "links": [
        *([1, 4, 0, 3, 0, "MODEL"], [2, 5, 0, 3, 3, "LATENT"], [3, 4, 1, 6, 0, "CLIP"]),
        *([4, 6, 0, 3, 1, "CONDITIONING"], [5, 4, 1, 7, 0, "CLIP"], [6, 7, 0, 3, 2, "CONDITIONING"]),
    ],
    "version": 0.4,
}

FLUX: dict[str, Any] = {
    "1": {
        "class_type": "SamplerCustomAdvanced",
        "inputs": {
            "noise": ["2", 0],
            "guider": ["3", 0],
            "sampler": ["4", 0],
            "sigmas": ["5", 0],
            "latent_image": ["6", 0],
        },
    },
    "2": {"class_type": "RandomNoise", "inputs": {"noise_seed": ["12", 0]}},
    "3": {"class_type": "BasicGuider", "inputs": {"model": ["7", 0], "conditioning": ["8", 0]}},
    "4": {"class_type": "KSamplerSelect", "inputs": {"sampler_name": "euler"}},
    "5": {
        "class_type": "BasicScheduler",
        "inputs": {"scheduler": "simple", "steps": 24, "denoise": 1.0, "model": ["7", 0]},
    },
    "6": {"class_type": "EmptySD3LatentImage", "inputs": {"width": 1024, "height": 1024, "batch_size": 1}},
    "7": {"class_type": "UNETLoader", "inputs": {"unet_name": "flux1-dev.safetensors", "weight_dtype": "default"}},
    "8": {"class_type": "FluxGuidance", "inputs": {"guidance": 3.5, "conditioning": ["9", 0]}},
    "9": {"class_type": "CLIPTextEncode", "inputs": {"text": ["10", 0], "clip": ["11", 0]}},
    "10": {"class_type": "PrimitiveStringMultiline", "inputs": {"value": "red apple"}},
    "11": {
        "class_type": "DualCLIPLoader",
        "inputs": {"clip_name1": "t5xxl.safetensors", "clip_name2": "clip_l.safetensors"},
    },
    "12": {"class_type": "PrimitiveInt", "inputs": {"value": 12345}},
}

INVOKEAI = {
    "app_version": "5.6.0",
    "generation_mode": "sdxl_txt2img",
    "positive_prompt": "red apple",
    "seed": 12345,
    "negative_prompt": "blurry",
    "width": 1024,
    "height": 1024,
    "cfg_scale": 7.5,
    "steps": 30,
    "scheduler": "euler_a",
    "model": {"key": "1b2c", "hash": "blake3:aa", "name": "Juggernaut XL", "base": "sdxl", "type": "main"},
}
SD_METADATA = {
    "model": "stable diffusion",
    "model_weights": "stable-diffusion-1.5",
    "model_hash": "cc6c",
    "app_id": "invoke-ai/InvokeAI",
    "image": {
        "prompt": [{"prompt": "red apple [blurry]", "weight": 1}],
        "steps": 50,
        "cfg_scale": 7.5,
        "seed": 12345,
        "sampler": "k_lms",
        "width": 512,
        "height": 512,
        "type": "txt2img",
    },
}
FOOOCUS = {
    "adm_guidance": "(1.5, 0.8, 0.3)",
    "base_model": "juggernautXL_v8",
    "base_model_hash": "aeb7e9e689",
    "seed": "12345",
    "full_negative_prompt": ["blurry, low"],
    "full_prompt": ["red apple, cinematic"],
    "guidance_scale": 4,
    "steps": 30,
    "loras": [],
    "metadata_scheme": "fooocus",
    "negative_prompt": "blurry",
    "performance": "Speed",
    "prompt": "red apple",
    "resolution": "(896, 1152)",
    "sampler": "dpmpp_2m_sde_gpu",
    "scheduler": "karras",
    "version": "Fooocus v2.5.5",
}
SWARMUI = {
    "sui_image_params": {
        "prompt": "red apple",
        "negativeprompt": "blurry",
        "model": "OfficialStableDiffusion/sd_xl_base_1.0",
        "images": 1,
        "seed": 12345,
        "steps": 20,
        "cfgscale": 7.0,
        "width": 1024,
        "height": 1024,
        "sampler": "euler",
        "swarm_version": "0.9.6.0",
    },
    "sui_extra_data": {"date": "2025-06-01", "generation_time": "4.84 sec"},
    "sui_models": [{"name": "sd_xl_base_1.0.safetensors", "param": "model", "hash": "0xd7a9"}],
}
EASY_DIFFUSION = {
    "prompt": "red apple",
    "negative_prompt": "blurry",
    "seed": "12345",
    "num_inference_steps": "25",
    "guidance_scale": "7.5",
    "width": "512",
    "height": "512",
    "sampler_name": "euler_a",
    "use_stable_diffusion_model": "sd-v1-5",
    "use_vae_model": "None",
}
EASY_DIFFUSION_LABELS = {
    "Prompt": "red apple",
    "Negative Prompt": "blurry",
    "Seed": "12345",
    "Steps": "25",
    "Guidance Scale": "7.5",
    "Width": "512",
    "Height": "512",
    "Sampler": "euler_a",
    "Stable Diffusion model": "sd-v1-5",
}
DRAW_THINGS = {
    "c": "red apple",
    "uc": "blurry",
    "seed": 12345,
    "steps": 30,
    "scale": 7,
    "sampler": "DPM++ 2M Karras",
    "model": "sd_xl_base_1.0_f16.ckpt",
    "size": "1024x768",
    "strength": 1,
    "seed_mode": "Scale Alike",
}
XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 6.0.0"><rdf:RDF><rdf:Description rdf:about=""
 xmlns:exif="http://ns.adobe.com/exif/1.0/"><xmp:CreatorTool>Draw Things</xmp:CreatorTool><exif:UserComment><rdf:Alt>
<rdf:li xml:lang="x-default">{comment}</rdf:li></rdf:Alt></exif:UserComment></rdf:Description></rdf:RDF></x:xmpmeta>"""
CIVITAI = {
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "red apple, (embedded:1.1)"}},
    "extraMetadata": json.dumps(
        {
            "prompt": "red apple",
            "negativePrompt": "blurry",
            "steps": 25,
            "cfgScale": 4,
            "sampler": "Euler a",
            "seed": 12345,
        }
    ),
}


def xmp(comment: object) -> str:
    """Draw Things' XMP around a table."""
    escaped = json.dumps(comment).replace("&", "&amp;").replace('"', "&quot;")
    return XMP.format(comment=escaped)
