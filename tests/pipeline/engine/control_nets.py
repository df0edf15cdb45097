"""Tiny control nets with random weights, in diffusers' own classes and files, and jobs that follow pictures."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import torch
from diffusers.models.adapter import T2IAdapter
from diffusers.models.controlnets.controlnet import ControlNetModel
from diffusers.models.controlnets.controlnet_union import ControlNetUnionModel
from PIL import Image

from pipeline.protocol.catalogue.networks import ControlSpec, FolderSource
from pipeline.protocol.inputs import Input, InputRole, Use
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.messages import Submit
from tests.pipeline.engine.given_pictures import png
from tests.pipeline.engine.tiny import PROJECTION, made

_HINT = (8, 16, 16)
"""Channels of the embedding of a picture: one halving less than these, so four pixels a latent, as the tiny VAE."""

_SINES = 16


def _randomised(module: Any, seed: int) -> Any:
    """The module with random numbers wherever it begins with zeros: a net that answers zeros shows nothing."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weights in module.parameters():
            if not weights.any():
                weights.normal_(std=0.1, generator=generator)
    return module.eval()


def control_net(unet: Any, seed: int = 0, **options: Any) -> ControlNetModel:
    """A ControlNet for a U-Net, with as many pixels a latent as the tiny VAE."""
    torch.manual_seed(seed)
    net: Any = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=_HINT, load_weights_from_unet=False)
    return _randomised(made(ControlNetModel, **{**_own(net), **options}), seed)


def union_net(unet: Any, seed: int = 0) -> ControlNetUnionModel:
    """A ControlNet of six kinds of pictures for a U-Net.

    A number is described by 16 sines. The libraries compute fewer of them otherwise when there are more rows.
    """
    torch.manual_seed(seed)
    net: Any = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=_HINT, load_weights_from_unet=False)
    own = {name: value for name, value in _own(net).items() if name != "mid_block_type"}
    width = net.config.block_out_channels[0]
    sizes = {"addition_time_embed_dim": _SINES, "projection_class_embeddings_input_dim": PROJECTION + 6 * _SINES}
    attention = {"num_trans_channel": width, "num_trans_head": 2, "num_proj_channel": width}
    return _randomised(made(ControlNetUnionModel, **{**own, **sizes, **attention}), seed)


def adapter(adapter_type: str, seed: int = 0, channels: tuple[int, ...] = (16, 32), **options: Any) -> T2IAdapter:
    """A T2I-Adapter for a tiny U-Net."""
    torch.manual_seed(seed)
    made_: Any = made(T2IAdapter, adapter_type=adapter_type, channels=list(channels), num_res_blocks=1, **options)
    return made_.eval()


def _own(net: Any) -> dict[str, Any]:
    return {name: value for name, value in dict(net.config).items() if not name.startswith("_")}


def spec_of(net: Any, folder: Path, key: str, **options: Any) -> ControlSpec:
    """A catalogue's entry for a net, whose files are written."""
    net.save_pretrained(folder / key)
    given: dict[str, Any] = {
        "family": "sd",
        "kind": "controlnet",
        "use": "lines",
        "preprocessor": "none",
        "license": "none",
        **options,
    }
    return ControlSpec(key=key, title=key.title(), source=FolderSource(path=str(folder / key)), **given)


def steered(submit: Submit, controls: Mapping[str, Image.Image], **options: Any) -> Submit:
    """The job, with a picture for each of these nets; options are those of `Input`, one value or one for each net."""
    inputs, pictures = list(submit.request.inputs), dict(submit.pictures)
    for place, (network, picture) in enumerate(controls.items()):
        data = png(picture)
        sha256 = hashlib.sha256(data).hexdigest()
        pictures[sha256] = data
        own = {name: value[place] if isinstance(value, list) else value for name, value in options.items()}
        inputs.append(Input(role=InputRole.CONTROL, sha256=sha256, network=network, use=Use.LINES, **own))
    request = msgspec.structs.replace(submit.request, inputs=tuple(inputs))
    return msgspec.structs.replace(submit, request=request, pictures=pictures)


def job(request: GenerationRequest, job_id: int = 1, **changes: Any) -> Submit:
    """A job of a request with changed fields."""
    return Submit(job_id=job_id, attempt=1, request=msgspec.structs.replace(request, **changes))
