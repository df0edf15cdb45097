"""OpenVINO GenAI with the shipped model's weights, as its makers' pipeline for pictures wants them.

Its pipelines read a folder of OpenVINO's files. The weights stay float32, and a pipeline is compiled for one size and
one number of pictures, which is its quickest way.
"""

import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

SCHEDULER: Final = "EulerDiscreteScheduler"


class GenAi:
    """GenAI's pipeline for text to picture.

    Args:
        folder: what `export` wrote.
        images: number of pictures of each call.
        side: of the pictures in pixels.
        guidance_scale: of each call.
        threads: most threads of the processor.
    """

    def __init__(self, folder: Path, *, images: int, side: int, guidance_scale: float, threads: int) -> None:
        import openvino_genai  # noqa: PLC0415 - a package for developers, which the other benchmarks do not need

        self._genai: Any = openvino_genai
        self._pipeline: Any = openvino_genai.Text2ImagePipeline(str(folder))
        self._pipeline.reshape(images, side, side, guidance_scale)
        options = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": "f32"}
        self._pipeline.compile("CPU", **options)
        self._given: Mapping[str, Any] = {
            "num_images_per_prompt": images,
            "height": side,
            "width": side,
            "guidance_scale": guidance_scale,
        }

    def draw(self, prompt: str, steps: int, seed: int) -> NDArray[np.uint8]:
        """Pictures [n, h, w, 3], from the noise that torch makes of the seed."""
        generator = self._genai.TorchGenerator(seed)
        found = self._pipeline.generate(
            prompt, negative_prompt="", num_inference_steps=steps, generator=generator, **self._given
        )
        return np.array(found.data)


def export(pipeline: Any, folder: Path) -> None:
    """Write a pipeline of Stable Diffusion's kind, whose VAE may be an AutoencoderTiny, for GenAI."""
    import openvino  # noqa: PLC0415 - as above
    from openvino_tokenizers import convert_tokenizer  # noqa: PLC0415 - as above

    text, unet, vae = pipeline.text_encoder, pipeline.unet, pipeline.vae
    whole, number = openvino.Type.i64, openvino.Type.f32
    tokens, width = text.config.max_position_embeddings, unet.config.cross_attention_dim

    def encode(ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        found = text(ids)
        return found.last_hidden_state, found.pooler_output

    def predict(sample: torch.Tensor, timestep: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
        return unet(sample, timestep, encoder_hidden_states=words, return_dict=False)[0]

    def decode(latents: torch.Tensor) -> torch.Tensor:
        return vae.decode(latents, return_dict=False)[0]

    _save(
        folder / "text_encoder",
        (text, encode, (torch.ones(1, tokens, dtype=torch.long),)),
        {"input_ids": ([-1, tokens], whole)},
        ("last_hidden_state", "pooler_output"),
        text.config.to_dict(),
    )
    _save(
        folder / "unet",
        (unet, predict, (torch.ones(2, 4, 16, 16), torch.ones(1, dtype=torch.long), torch.ones(2, tokens, width))),
        {
            "sample": ([-1, 4, -1, -1], number),
            "timestep": ([1], whole),
            "encoder_hidden_states": ([-1, tokens, width], number),
        },
        ("out_sample",),
        dict(unet.config),
    )
    _save(
        folder / "vae_decoder",
        (vae, decode, (torch.ones(1, 4, 16, 16),)),
        {"latent_sample": ([-1, 4, -1, -1], number)},
        ("sample",),
        _vae_config(vae.config),
    )
    openvino.save_model(convert_tokenizer(pipeline.tokenizer), folder / "tokenizer/openvino_tokenizer.xml")
    _write_index(pipeline, folder)


def _vae_config(config: Any) -> Mapping[str, Any]:
    """GenAI knows no AutoencoderTiny; it reads the size of a latent from the number of blocks."""
    stages = config.get("decoder_block_out_channels") or config.block_out_channels
    shared = {"in_channels": 3, "out_channels": 3, "latent_channels": 4, "block_out_channels": [1] * len(stages)}
    return {**shared, "scaling_factor": config.scaling_factor}


def _write_index(pipeline: Any, folder: Path) -> None:
    """The configuration of the whole, and of its sampler."""
    index = {"text_encoder": "CLIPTextModel", "unet": "UNet2DConditionModel", "vae": "AutoencoderKL"}
    index |= {"vae_decoder": "AutoencoderKL", "scheduler": SCHEDULER, "tokenizer": "CLIPTokenizer"}
    parts = {name: ["diffusers", kind] for name, kind in index.items()}
    _write(folder / "model_index.json", {"_class_name": "StableDiffusionPipeline", **parts})
    scheduler = {**pipeline.scheduler.config, "_class_name": SCHEDULER}
    _write(folder / "scheduler/scheduler_config.json", scheduler)


def _save(
    folder: Path,
    traced: tuple[nn.Module, Callable[..., Any], tuple[torch.Tensor, ...]],
    inputs: Mapping[str, tuple[Sequence[int], Any]],
    outputs: Sequence[str],
    config: Mapping[str, Any],
) -> None:
    """Write one network: its module, its function of tensors, and tensors to trace it with."""
    import openvino  # noqa: PLC0415 - as above
    from openvino.frontend import FrontEndManager  # noqa: PLC0415 - as above
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder  # noqa: PLC0415 - as above

    module, function, example = traced
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        script: Any = torch.jit.trace(_Called(module, function).eval(), example, check_trace=False)
        front_end: Any = FrontEndManager().load_by_framework("pytorch")
        # Its memory holds the weights, and so it has a name.
        decoder = TorchScriptPythonDecoder(script, example_input=example)
        model = front_end.convert(front_end.load(decoder))
    for port, (name, (shape, kind)) in zip(model.inputs, inputs.items(), strict=True):
        port.get_node().set_partial_shape(openvino.PartialShape([*shape]))
        port.get_node().set_element_type(kind)
        port.get_tensor().set_names({name})
    for port, name in zip(model.outputs, outputs, strict=True):
        port.get_tensor().set_names({name})
    model.validate_nodes_and_infer_types()
    openvino.save_model(model, folder / "openvino_model.xml", compress_to_fp16=False)
    _write(folder / "config.json", config)


class _Called(nn.Module):
    """A function of tensors as a module, which the tracer wants."""

    def __init__(self, module: nn.Module, function: Callable[..., Any]) -> None:
        super().__init__()
        self.module = module
        self._function = function

    def forward(self, *tensors: torch.Tensor) -> Any:
        """What the function makes of the tensors."""
        return self._function(*tensors)


def _write(path: Path, content: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
