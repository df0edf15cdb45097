"""Limits of Discord's requests that SimCord does not check. Discord refuses a request beyond them.

https://discord.com/developers/docs/interactions/application-commands, .../receiving-and-responding and
.../resources/message. SimCord itself checks components, modals, embeds and the text of a message.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

AUTOCOMPLETE: Final = 8
MODAL: Final = 9
BUTTON: Final = 2
PREMIUM: Final = 6
TEXT_INPUT: Final = 4
SLASH_COMMAND: Final = 1

MOST_CHOICES: Final = 25
MOST_OPTIONS: Final = 25
LONGEST_NAME: Final = 100
"""Most characters of a choice's name, of its value, and of a description."""
LONGEST_COMMAND: Final = 8_000
"""Most characters of all names, descriptions and values of a command together."""
MOST_FILES: Final = 10
LONGEST_DESCRIPTION: Final = 1_024
"""Most characters of a file's description."""
LONGEST_NONCE: Final = 25
LONGEST_INPUT: Final = 4_000

_COMMAND_NAME: Final = re.compile(r"[-'\w]{1,32}")


def mistake_in(method: str, path: str, body: Any, files: int) -> str | None:
    """Return Discord's reason to refuse a request, or None if no limit is exceeded."""
    parts = path.strip("/").split("/")
    if parts[0] == "applications" and "commands" in parts and method in ("PUT", "POST", "PATCH"):
        commands = body if isinstance(body, list) else [body]
        return next((mistake for command in commands for mistake in _in_command(command)), None)
    if not isinstance(body, dict) or method not in ("POST", "PATCH"):
        return None
    data = body
    if parts[-1] == "callback":
        data = body.get("data") or {}
        if body.get("type") == AUTOCOMPLETE:
            return next(_in_choices(data.get("choices") or ()), None)
        if body.get("type") == MODAL:
            return next(_in_modal(data.get("components") or ()), None)
    return next(_in_message(data, files), None)


def _in_choices(choices: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Check a list of choices. Discord refuses the whole list for one bad choice."""
    if len(choices) > MOST_CHOICES:
        yield f"choices: Must be {MOST_CHOICES} or fewer in length."
    for number, choice in enumerate(choices):
        names = [choice.get("name"), *(choice.get("name_localizations") or {}).values()]
        if not all(isinstance(name, str) and 1 <= len(name) <= LONGEST_NAME for name in names):
            yield f"choices.{number}.name: Must be between 1 and {LONGEST_NAME} in length."
        value = choice.get("value")
        if isinstance(value, str) and not 1 <= len(value) <= LONGEST_NAME:
            yield f"choices.{number}.value: Must be between 1 and {LONGEST_NAME} in length."


def _in_command(command: Mapping[str, Any]) -> Iterator[str]:
    kind = command.get("type", SLASH_COMMAND)
    is_slash = kind == SLASH_COMMAND
    yield from _in_part(command, is_slash=is_slash)
    if _length_of(command) > LONGEST_COMMAND:
        yield f"{command.get('name')}: The command is over {LONGEST_COMMAND} characters."


def _in_part(part: Mapping[str, Any], *, is_slash: bool) -> Iterator[str]:
    """Check a command, a group or an option, with its name, its description and all below it."""
    for name in (part.get("name"), *(part.get("name_localizations") or {}).values()):
        if is_slash and not (isinstance(name, str) and _COMMAND_NAME.fullmatch(name) and name == name.lower()):
            yield f"name: {name!r} is invalid."
        if not isinstance(name, str) or not name.strip():
            yield "name: This field is required."
    for description in (part.get("description"), *(part.get("description_localizations") or {}).values()):
        if is_slash and not (isinstance(description, str) and 1 <= len(description) <= LONGEST_NAME):
            yield f"description: Must be between 1 and {LONGEST_NAME} in length."
    options = part.get("options") or ()
    if len(options) > MOST_OPTIONS:
        yield f"options: Must be {MOST_OPTIONS} or fewer in length."
    if len({option.get("name") for option in options}) < len(options):
        yield "options: Option names must be unique."
    required = [bool(option.get("required")) for option in options]
    if required != sorted(required, reverse=True):
        yield "options: Required options must be placed before non-required options."
    yield from _in_choices(part.get("choices") or ())
    for option in options:
        yield from _in_part(option, is_slash=is_slash)


def _length_of(part: Mapping[str, Any]) -> int:
    own = len(part.get("name") or "") + len(part.get("description") or "")
    choices = sum(len(choice["name"]) + len(str(choice["value"])) for choice in part.get("choices") or ())
    return own + choices + sum(_length_of(option) for option in part.get("options") or ())


def _in_modal(components: Any) -> Iterator[str]:
    for component in _walk(components):
        value = component.get("value")
        longest = component.get("max_length") or LONGEST_INPUT
        if component.get("type") == TEXT_INPUT and isinstance(value, str) and len(value) > longest:
            yield f"{component.get('custom_id')}: value: Must be {longest} or fewer in length."


def _in_message(message: Mapping[str, Any], files: int) -> Iterator[str]:
    attachments = message.get("attachments") or ()
    if max(files, len(attachments)) > MOST_FILES:
        yield f"attachments: Must be {MOST_FILES} or fewer in length."
    for attachment in attachments:
        if len(attachment.get("description") or "") > LONGEST_DESCRIPTION:
            yield f"attachments: description: Must be {LONGEST_DESCRIPTION} or fewer in length."
    if len(str(message.get("nonce") or "")) > LONGEST_NONCE:
        yield f"nonce: Must be {LONGEST_NONCE} or fewer in length."
    for component in _walk(message.get("components") or ()):
        is_bare = not component.get("label") and not component.get("emoji")
        if component.get("type") == BUTTON and component.get("style") != PREMIUM and is_bare:
            yield f"{component.get('custom_id')}: A button must have a label or an emoji."


def _walk(node: Any) -> Iterator[Mapping[str, Any]]:
    """Iterate over all components of a tree."""
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from _walk(value)
    elif isinstance(node, list):
        for item in node:
            yield from _walk(item)
