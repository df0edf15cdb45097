"""What the files of other tools say, in one form: prompt, negative prompt, settings and tool."""

import io
import json
from typing import Any

import pytest
from PIL import Image, PngImagePlugin
from sd_parsers import ParserManager

from pipeline.metadata.reading import read_parameters
from tests import picture_files as files

APPLE = "red apple\nNegative prompt: blurry\n"
WHOLE = {
    "novelai": (
        files.png_of(files.NOVELAI),
        (
            "1girl, red apple\ngirl, smile\nNegative prompt: blurry\nhat\n"
            "Steps: 28, Sampler: k_euler_ancestral, Schedule type: karras, CFG scale: 5, Seed: 12345, Size: 832x1216, "
            "Version: NovelAI"
        ),
    ),
    "comfyui": (
        files.png_of({"prompt": files.GRAPH, "workflow": files.WORKFLOW}),
        (
            APPLE + "Steps: 20, Sampler: euler, Schedule type: karras, CFG scale: 7.5, "
            "Seed: 12345, Size: 512x768, Model: sd15.safetensors, Version: ComfyUI"
        ),
    ),
    "comfyui-flux": (
        files.png_of({"prompt": files.FLUX}),
        (
            "red apple\nSteps: 24, Sampler: euler, Schedule type: simple, Guidance: 3.5, Seed: 12345, Size: 1024x1024, "
            "Model: flux1-dev.safetensors, Version: ComfyUI"
        ),
    ),
    "comfyui-webp": (
        files.with_tags(
            {0x010F: f"workflow:{json.dumps(files.WORKFLOW)}", 0x0110: f"prompt:{json.dumps(files.GRAPH)}"}
        ),
        (
            APPLE + "Steps: 20, Sampler: euler, Schedule type: karras, CFG scale: 7.5, "
            "Seed: 12345, Size: 512x768, Model: sd15.safetensors, Version: ComfyUI"
        ),
    ),
    "invokeai": (
        files.png_of({"invokeai_metadata": files.INVOKEAI, "invokeai_graph": {"nodes": {}, "edges": []}}),
        (
            APPLE + "Steps: 30, Schedule type: euler_a, CFG scale: 7.5, Seed: 12345, "
            "Size: 1024x1024, Model: Juggernaut XL, Version: InvokeAI"
        ),
    ),
    "invokeai-sd-metadata": (
        files.png_of(
            {
                "Dream": '"red apple [blurry]" -s 50 -S 12345 -W 512 -H 512 -C 7.5 -A k_lms',
                "sd-metadata": files.SD_METADATA,
            }
        ),
        (
            APPLE + "Steps: 50, Sampler: k_lms, CFG scale: 7.5, Seed: 12345, Size: 512x512, "
            "Model: stable-diffusion-1.5, Version: InvokeAI"
        ),
    ),
    "invokeai-dream": (
        files.png_of({"Dream": '"red apple [blurry]" -s 50 -S 12345 -W 512 -H 512 -C 7.5 -A k_lms'}),
        (APPLE + "Steps: 50, Sampler: k_lms, CFG scale: 7.5, Seed: 12345, Size: 512x512, Version: InvokeAI"),
    ),
    "fooocus": (
        files.png_of({"parameters": files.FOOOCUS, "fooocus_scheme": "fooocus"}),
        (
            APPLE + "Steps: 30, Sampler: dpmpp_2m_sde_gpu, Schedule type: karras, CFG scale: 4, "
            "Seed: 12345, Size: 896x1152, Model: juggernautXL_v8, Version: Fooocus"
        ),
    ),
    "fooocus-jpeg": (
        files.with_tags({0x9286: json.dumps(files.FOOOCUS), 0x0131: "Fooocus v2.5.5", 0x927C: "fooocus"}, "JPEG"),
        (
            APPLE + "Steps: 30, Sampler: dpmpp_2m_sde_gpu, Schedule type: karras, CFG scale: 4, "
            "Seed: 12345, Size: 896x1152, Model: juggernautXL_v8, Version: Fooocus"
        ),
    ),
    "swarmui": (
        files.png_of({"parameters": files.SWARMUI}),
        (
            APPLE + "Steps: 20, Sampler: euler, CFG scale: 7, Seed: 12345, Size: 1024x1024, "
            "Model: OfficialStableDiffusion/sd_xl_base_1.0, Version: SwarmUI"
        ),
    ),
    "easy-diffusion": (
        files.png_of(files.EASY_DIFFUSION),
        (
            APPLE + "Steps: 25, Sampler: euler_a, CFG scale: 7.5, Seed: 12345, Size: 512x512, "
            "Model: sd-v1-5, Version: Easy Diffusion"
        ),
    ),
    "easy-diffusion-labels": (
        files.png_of(files.EASY_DIFFUSION_LABELS),
        (
            APPLE + "Steps: 25, Sampler: euler_a, CFG scale: 7.5, Seed: 12345, Size: 512x512, "
            "Model: sd-v1-5, Version: Easy Diffusion"
        ),
    ),
    "easy-diffusion-jpeg": (
        files.with_comment(b"UNICODE\0" + json.dumps(files.EASY_DIFFUSION).encode("utf-16-be"), endian=">"),
        (
            APPLE + "Steps: 25, Sampler: euler_a, CFG scale: 7.5, Seed: 12345, Size: 512x512, "
            "Model: sd-v1-5, Version: Easy Diffusion"
        ),
    ),
    "draw-things": (
        files.png_of({"XML:com.adobe.xmp": files.xmp(files.DRAW_THINGS)}),
        (
            APPLE + "Steps: 30, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 12345, "
            "Size: 1024x768, Model: sd_xl_base_1.0_f16.ckpt, Version: Draw Things"
        ),
    ),
    "draw-things-jpeg": (
        files.saved(Image.new("RGB", (16, 16)), "JPEG", xmp=files.xmp(files.DRAW_THINGS).encode()),
        (
            APPLE + "Steps: 30, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 12345, "
            "Size: 1024x768, Model: sd_xl_base_1.0_f16.ckpt, Version: Draw Things"
        ),
    ),
    "civitai-comfyui": (
        files.with_comment(b"UNICODE\0" + json.dumps(files.CIVITAI).encode("utf-16-le")),
        APPLE + "Steps: 25, Sampler: Euler a, CFG scale: 4, Seed: 12345, Version: Civitai",
    ),
    "midjourney": (files.png(Description="red apple --ar 16:9 Job ID: 7f"), "red apple --ar 16:9 Job ID: 7f"),
    "a1111": (files.png(parameters=files.A1111), files.A1111),
    "a1111-and-workflow": (
        files.png_of({"prompt": files.GRAPH, "workflow": files.WORKFLOW, "parameters": files.A1111}),
        files.A1111,
    ),
    "description-of-a-jpeg": (files.with_tags({0x010E: files.A1111}, "JPEG"), files.A1111),
    "comment-of-a-jpeg": (files.saved(Image.new("RGB", (16, 16)), "JPEG", comment=files.A1111.encode()), files.A1111),
    "exif-of-a-png": (files.with_comment(b"UNICODE\0" + files.A1111.encode("utf-16-be"), "PNG"), files.A1111),
}


@pytest.mark.parametrize("tool", WHOLE)
def test_a_file_says_prompt_settings_and_tool(tool: str) -> None:
    data, words = WHOLE[tool]
    assert read_parameters(data) == words


COMFYUI = WHOLE["comfyui"][1]


def test_a_workflow_alone_says_as_much_as_its_graph() -> None:
    assert read_parameters(files.png_of({"workflow": files.WORKFLOW})) == COMFYUI


def test_a_workflow_that_names_its_values_needs_no_table() -> None:
    workflow = json.loads(json.dumps(files.WORKFLOW))
    sampler = workflow["nodes"][0]
    sampler["type"] = "Somebody's sampler"
    names = ("seed", "steps", "cfg", "sampler_name", "scheduler", "denoise")
    sampler["inputs"] += [{"name": name, "type": "*", "link": None, "widget": {"name": name}} for name in names]
    assert read_parameters(files.png_of({"workflow": workflow})) == COMFYUI


def test_words_are_followed_over_nodes_in_between() -> None:
    graph: dict[str, Any] = json.loads(json.dumps(files.GRAPH))
    graph["3"]["inputs"] |= {"positive": ["10", 0], "negative": ["10", 1]}
    graph["10"] = {
        "class_type": "ControlNetApplyAdvanced",
        "inputs": {"positive": ["6", 0], "negative": ["7", 0], "control_net": ["11", 0], "image": ["12", 0]},
    }
    graph["6"]["inputs"]["text"] = ["13", 0]
    graph["13"] = {"class_type": "StringConcatenate", "inputs": {"string_a": "red", "string_b": ["14", 0]}}
    graph["14"] = {"class_type": "PrimitiveString", "inputs": {"value": "apple"}}
    found = read_parameters(files.png_of({"prompt": graph}))
    assert found is not None
    assert found.startswith("red\napple\nNegative prompt: blurry\nSteps: 20")


def test_the_first_of_two_passes_is_told() -> None:
    graph: dict[str, Any] = json.loads(json.dumps(files.GRAPH))
    second = {**graph["3"]["inputs"], "seed": 9, "steps": 5, "denoise": 0.4, "latent_image": ["3", 0]}
    graph = {"1": {"class_type": "KSampler", "inputs": second}, **graph}
    assert read_parameters(files.png_of({"prompt": graph})) == COMFYUI


def test_a_graph_without_a_sampler_says_its_words() -> None:
    graph = {"6": {"class_type": "CLIPTextEncode", "inputs": {"text": "red apple"}}}
    assert read_parameters(files.png_of({"prompt": graph})) == "red apple\nVersion: ComfyUI"


def test_a_negative_prompt_that_is_the_prompt_set_to_zero_is_none() -> None:
    graph: dict[str, Any] = json.loads(json.dumps(files.GRAPH))
    graph["3"]["inputs"]["negative"] = ["10", 0]
    graph["10"] = {"class_type": "ConditioningZeroOut", "inputs": {"conditioning": ["6", 0]}}
    found = read_parameters(files.png_of({"prompt": graph}))
    assert found is not None
    assert "Negative" not in found


def test_a_graph_that_says_nothing_is_told_as_it_is() -> None:
    graph = {"1": {"class_type": "LoadImage", "inputs": {"image": "a.png"}}}
    assert read_parameters(files.png_of({"prompt": graph})) == json.dumps(graph)


def test_not_a_number_in_a_graph_is_no_hindrance() -> None:
    text = json.dumps(files.GRAPH | {"99": {"class_type": "X", "inputs": {}, "is_changed": [float("nan")]}})
    assert "NaN" in text
    assert read_parameters(files.png_of({"prompt": text})) == COMFYUI


@pytest.mark.parametrize("zipped", [False, True])
def test_words_behind_the_pixels_are_read(*, zipped: bool) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_itxt("parameters", f"ü {files.A1111}", zip=zipped)
    ((kind, content, _),) = info.chunks
    whole = files.raw_png()
    end = files.chunk(b"IEND", b"")
    assert whole.endswith(end)
    late = whole.removesuffix(end) + files.chunk(kind, content) + end
    assert read_parameters(late) == f"ü {files.A1111}"


@pytest.mark.parametrize("name", ["novelai", "comfyui", "invokeai", "invokeai-dream", "fooocus"])
def test_an_outside_reader_knows_these_files(name: str) -> None:
    """The files that are made here are like the tools' own, as far as `sd-parsers` reads them."""
    data, words = WHOLE[name]
    found = ParserManager().parse(Image.open(io.BytesIO(data)))
    assert found is not None
    assert words.endswith(found.generator.value)
    first = next(iter(found.samplers))
    assert str(first.prompts[0]) == words.split("\n")[0].partition(" [")[0]
