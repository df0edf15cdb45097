"""Hosts of the last release work with this bot: no word changes so that the other side could not read it."""

import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pipeline.backends.base import WorkerState
from pipeline.protocol.inputs import Input, InputRole
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire import hosts
from pipeline.protocol.wire.codec import encode_body
from pipeline.protocol.wire.hosts import KNOWN_FIELDS, OLDEST_PROTOCOL
from pipeline.protocol.wire.messages import PROTOCOL_VERSION, Cancel, Finished, Progress, Ready, Submit
from pipeline.protocol.wire.outputs import ImageFile
from pipeline.protocol.wire.settings import Checking, ImageOutput
from pipeline.protocol.wire.skew import fields_of, unknown_fields

FOLDER = Path(__file__).parent / "released"
SCHEMA, WORDS = FOLDER / f"hosts-{OLDEST_PROTOCOL}.schema.json", FOLDER / f"hosts-{OLDEST_PROTOCOL}.words.json"
REMEDY = (
    "A host of the last release could not read this, or be read. Give new fields a default and keep old ones. For a "
    "release that needs all hosts updated at once, set OLDEST_PROTOCOL to PROTOCOL_VERSION and run this with RECORD=1."
)
SPOKEN = (hosts.ToHost, hosts.FromHost, hosts.HostAnswer, hosts.BotAnswer, Finished)
_NO_FORM = {"default", "description", "title", "minimum", "maximum", "minLength", "maxLength", "maxItems"}

Schema = dict[str, Any]


def form(schema: Any) -> Any:
    """A schema without what decides nothing about whether a word can be read."""
    if isinstance(schema, dict):
        return {key: form(part) for key, part in schema.items() if key not in _NO_FORM}
    return [form(part) for part in schema] if isinstance(schema, list) else schema


def schemas() -> Schema:
    _, components = msgspec.json.schema_components(SPOKEN, ref_template="{name}")
    # Names and descriptions of properties are told apart by their place.
    return {
        name: {
            "required": sorted(each.get("required", ())),
            "properties": {key: form(part) for key, part in each.get("properties", {}).items()},
            "enum": each.get("enum", []),
        }
        for name, each in components.items()
    }


def breaks(old: Schema, new: Schema) -> list[str]:
    """What keeps old and new from reading each other's words. New values of enums and unions are refused in words."""
    found: list[str] = []
    for name, before in old.items():
        now = new.get(name)
        if now is None:
            found.append(f"{name} is gone")
            continue
        found += [f"{name}.{key} is needed now" for key in set(now["required"]) - set(before["properties"])]
        found += [f"{name}.{key} was needed" for key in set(before["required"]) - set(now["properties"])]
        found += [f"{name} has no more {value}" for value in before["enum"] if value not in now["enum"]]
        for key in before["properties"].keys() & now["properties"].keys():
            one, other = before["properties"][key], now["properties"][key]
            if one != other and not _grew(one, other):
                found.append(f"{name}.{key} is another")
    return found


def _grew(old: Schema, new: Schema) -> bool:
    parts = old.get("anyOf", [old])
    return all(part in new.get("anyOf", []) for part in parts) or (
        "enum" in old and "enum" in new and set(old["enum"]) <= set(new["enum"])
    )


def words(request: GenerationRequest) -> dict[str, bytes]:
    """Words of this version, from both sides."""
    policy = hosts.Policy(
        classifier=None, has_safety_checker=False, output=ImageOutput(), preview_interval_s=2, default_key="pocket"
    )
    ready = Ready(
        protocol_version=PROTOCOL_VERSION, device="cpu", device_name="a test", dtype="float32", vram_bytes=0,
        models=("pocket",), missing={"big": "no file"}, capacity=2, versions={"torch": "2"},
    )  # fmt: skip
    hello = hosts.Hello(
        oldest=OLDEST_PROTOCOL, newest=PROTOCOL_VERSION, boot="boot", easel="0.1.0", policy=policy,
        state=WorkerState.READY, detail="", ready=ready, running=((1, 1),), done=((2, 1),), is_leaving=False,
        knows=KNOWN_FIELDS,
    )  # fmt: skip
    image = ImageFile(index=0, data=b"png", media_type="image/png", width=64, height=64, seed=7)
    drawn = msgspec.structs.replace(request, inputs=(Input(role=InputRole.INIT_IMAGE, sha256="a" * 64, strength=0.5),))
    return {
        name: encode_body(word)
        for name, word in {
            "to_host submit": Submit(
                job_id=1, attempt=1, request=drawn, pictures={"a" * 64: b"png"}, checking=Checking(mode="hide")
            ),
            "to_host cancel": Cancel(job_id=1, attempt=1),
            "to_host parcel": hosts.Parcel(name="word"),
            "from_host hello": hello,
            "from_host beat": hosts.Beat(boot="boot", phase="running", rss_bytes=1, restarts=0),
            "from_host progress": Progress(
                job_id=1, attempt=1, phase="running", step=1, total_steps=4, elapsed_s=0.1, preview=b"webp"
            ),
            "from_host done": hosts.Done(job_id=1, attempt=1, boot="boot", parcel="end"),
            "bot_answer welcome": hosts.Welcome(beat_s=1, policy=policy, drop=((2, 1),)),
            "finished end": Finished(job_id=1, attempt=1, outputs=(image,), notices=(), denoise_s=0.1, total_s=0.2),
        }.items()
    }


def test_words_of_the_last_release_are_read_and_read_ours(request_: GenerationRequest) -> None:
    if os.environ.get("RECORD"):
        FOLDER.mkdir(exist_ok=True)
        SCHEMA.write_text(json.dumps(schemas(), indent=1, sort_keys=True) + "\n")
        WORDS.write_text(json.dumps({name: body.hex() for name, body in words(request_).items()}, indent=1) + "\n")
    assert OLDEST_PROTOCOL <= PROTOCOL_VERSION
    assert breaks(json.loads(SCHEMA.read_text()), schemas()) == [], REMEDY
    for name, body in json.loads(WORDS.read_text()).items():
        decode = getattr(hosts, f"decode_{name.split()[0]}")
        assert decode(bytes.fromhex(body)) is not None, REMEDY


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"Beat": {"required": ["new"], "properties": {"new": {}}}}, "needed now"),
        ({"Beat": {"required": [], "properties": {}}}, "was needed"),
        ({"Beat": {"properties": {"rss_bytes": {"type": "string"}}}}, "is another"),
        ({"Beat": None}, "is gone"),
        ({"FailureReason": {"enum": ["cancelled"]}}, "no more"),
        ({"FailureReason": {"enum": [*schemas()["FailureReason"]["enum"], "new"]}}, ""),
        ({"Beat": {"properties": {**schemas()["Beat"]["properties"], "new": {}}}}, ""),
    ],
)
def test_a_change_that_breaks_is_found(changed: dict[str, Any], told: str) -> None:
    old = schemas()
    new = {name: None if changes is None else old[name] | changes for name, changes in changed.items()}
    found = breaks(old, {name: each for name, each in (old | new).items() if each is not None})
    assert any(told in each for each in found) if told else found == []


def test_only_unknown_fields_with_a_meaning_are_told(request_: GenerationRequest) -> None:
    known = fields_of(Submit)
    submit = Submit(job_id=1, attempt=1, request=request_)
    assert unknown_fields(submit, known) == []
    assert unknown_fields(submit, known - {"GenerationRequest.guidance_rescale", "Submit.pictures"}) == []
    skipping = msgspec.structs.replace(submit, request=msgspec.structs.replace(request_, guidance_rescale=0.5))
    assert unknown_fields(skipping, known - {"GenerationRequest.guidance_rescale"}) == [
        "GenerationRequest.guidance_rescale"
    ]
    assert unknown_fields(submit, known - {"GenerationRequest.seed"}) == ["GenerationRequest.seed"]
    inner = msgspec.structs.replace(request_, inputs=(Input(role=InputRole.INIT_IMAGE, sha256="a" * 64, strength=0.5),))
    told = unknown_fields(msgspec.structs.replace(submit, request=inner), known - {"Input.strength"})
    assert told == ["Input.strength"]
