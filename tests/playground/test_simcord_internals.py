"""Names every inner part of SimCord that the bridge needs, so that an upgrade fails here first."""

from __future__ import annotations

import importlib
import inspect
import re
from importlib.metadata import version
from pathlib import Path

import pytest
from simcord.preview import Preview

import playground
from playground.bridge.page_files import REPLACEMENTS

PINNED = "3.2.1"

PARTS = {
    "simcord._clock:Clock": ["now", "elapsed"],
    "simcord._dpy_internals:get_state": ["client"],
    "simcord.actors:MemberActor": ["click", "select", "context_menu", "delete", "slash", "submit_modal"],
    "simcord.backend:Backend": [
        "application_id",
        "bot_user",
        "cdn",
        "channels",
        "clock",
        "commands",
        "commit_message",
        "delete_message",
        "edit_message",
        "emit",
        "get_channel",
        "get_message",
        "guilds",
        "http_requests",
        "interaction_by_token",
        "interaction_tokens",
        "interactions",
        "iso_after",
        "messages",
        "new_interaction",
        "now_iso",
        "register_commands",
        "snowflake",
        "subscribers",
        "transcript",
    ],
    "simcord.backend.cdn:CdnStore": ["_blobs", "get", "store_attachment"],
    "simcord.backend.errors:BackendError": ["status", "code", "message", "to_json"],
    "simcord.backend.models:Interaction": ["expires_at", "initial_response_deadline", "responded", "token"],
    "simcord.backend.models:Message": [
        "attachments",
        "components",
        "embeds",
        "interaction_metadata",
        "visible_to",
    ],
    "simcord.backend.serializers:guild_create_payload": ["backend", "guild"],
    "simcord.backend.serializers:message_payload": ["backend", "message", "for_user"],
    "simcord.backend.serializers:user_payload": ["user"],
    "simcord.builders:GuildHandle": ["create_webhook", "create_role", "create_text_channel", "add_member"],
    "simcord.env:Env": [
        "_begin_operation",
        "_end_operation",
        "_generation",
        "_mark_mutation",
        "_message_states",
        "_notify_dispatch_observers",
        "_preview",
        "_settle_internal",
        "_started",
    ],
    "simcord.gateway:FakeGateway": ["feed", "deliver"],
    "simcord.gateway:FakeWebSocket": ["request_chunks"],
    "simcord.http.router:dispatch": ["backend", "method", "path", "json", "params", "files", "reason"],
    "simcord.intents:missing_privileged_intents": ["declared", "approved"],
    "simcord.preview:Preview": [
        "_MAX_MEDIA_BYTES",
        "_MAX_PAGES",
        "_action",
        "_advance_presentation_time",
        "_initial_target",
        "_mark_action_dispatched",
        "_media_worker",
        "_page_payload",
        "_pages",
        "_publish",
        "_server",
        "_viewer",
        "channel",
        "close",
        "url",
        "wait_closed",
    ],
    "simcord.preview._action_plans:_component_key": ["component", "path", "message_id"],
    "simcord.preview._action_plans:_component_paths": ["value", "path"],
    "simcord.preview._media:MediaInfo": ["format", "width", "height", "frames", "decoded_bytes", "normalized"],
    "simcord.preview._media:MediaWorker": ["_cache", "_decode", "validate"],
    "simcord.preview._media:_process_media": ["blob", "media_time"],
    "simcord.preview._pages:_Page": [
        "channel_id",
        "id",
        "revision",
        "snapshot",
        "target_id",
        "viewer",
        "window_end_id",
    ],
    "simcord.preview._server:PreviewServer": ["_SECURITY_HEADERS", "_STATIC_FILES", "_static"],
    "simcord.results:InteractionResult": ["_interaction", "response"],
}


def members(part: object) -> str:
    """Return what a part offers: parameters of a function, or the text of a class and its bases."""
    if inspect.isclass(part):
        bases = [base for base in part.__mro__ if base.__module__.startswith("simcord")]
        return "\n".join(inspect.getsource(base) for base in bases)
    assert callable(part)
    return " ".join(inspect.signature(part).parameters)


def test_the_pinned_version_is_installed() -> None:
    assert version("simcord") == PINNED


@pytest.mark.parametrize("path", PARTS)
def test_part_is_there(path: str) -> None:
    module, name = path.split(":")
    text = members(getattr(importlib.import_module(module), name))
    missing = [wanted for wanted in PARTS[path] if not re.search(rf"\b{wanted}\b", text)]
    assert missing == []


def test_only_the_bridge_imports_inner_parts() -> None:
    package = Path(playground.__file__).parent
    for file in package.rglob("*.py"):
        if file.parent.name != "bridge":
            assert not re.search(r"(import|from) simcord[._]", file.read_text()), file


@pytest.mark.parametrize("path", REPLACEMENTS)
def test_the_page_still_carries_the_words_that_are_replaced(path: str) -> None:
    """Once each, so that a replacement cannot strike beside what it means."""
    file = Path(inspect.getfile(Preview)).with_name("static") / (path.removeprefix("/") or "index.html")
    text = file.read_text()
    for old, new in REPLACEMENTS[path]:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
