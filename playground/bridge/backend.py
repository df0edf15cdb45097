"""SimCord's world with a real clock, real deadlines and the fields that SimCord omits.

Each override closes one gap between SimCord and Discord that a bot could notice.
"""

from __future__ import annotations

import copy
import json
import secrets
import time
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from simcord._clock import Clock
from simcord.backend import Backend, serializers
from simcord.backend.errors import BackendError

from playground.bridge.cdn import ICON, LocalCdn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from simcord.backend.models import Interaction, Message

ATTACHMENT_SIZE_LIMIT = 10 * 1024 * 1024
"""Discord's limit for one file on a server without boosts, in bytes."""

EPHEMERAL = 1 << 6
"""Message flag: only one person sees the message."""

LOG_ENTRIES_KEPT = 2_000
"""Most entries of SimCord's logs. SimCord keeps all, but a playground may run for days."""

MEDIA_FIELDS = ("url", "proxy_url", "width", "height", "content_type")
"""Fields that an embed's picture copies from the uploaded file."""

USER_FIELDS: dict[str, Any] = {
    "primary_guild": None,
    "avatar_decoration_data": None,
    "collectibles": None,
    "banner": None,
    "accent_color": None,
}
"""Fields of every user in Discord's payloads that SimCord omits."""


class WallClock(Clock):
    """Real time instead of SimCord's frozen clock."""

    def now(self) -> datetime:
        """Return the current moment in UTC."""
        return datetime.now(UTC)


class LocalBackend(Backend):
    """The world behind the local Discord's REST interface and gateway."""

    def __init__(
        self,
        *,
        cdn_base_url: str,
        interaction_deadline_s: float,
        token_lifetime_s: float,
        on_change: Callable[[], None],
    ) -> None:
        super().__init__(clock=WallClock())
        self.interaction_deadline_s = interaction_deadline_s
        self.token_lifetime_s = token_lifetime_s
        self.attachment_size_limit = ATTACHMENT_SIZE_LIMIT
        self.cdn: LocalCdn = LocalCdn(cdn_base_url)
        self.owner_id: int | None = None
        """The owner of the application; None for the bot itself, as in SimCord."""
        # Each person's Discord language; English for all others.
        self.locales: dict[int, str] = {}
        # People with a user installation of the app, and whether others see its answers to them.
        self.brought_along: dict[int, bool] = {}
        # Time at which each interaction was dispatched, to measure its acknowledgement.
        self.sent_at: dict[int, float] = {}
        self._on_change = on_change
        # SimCord only appends to these two and reads them as sequences, so a deque is enough.
        self.transcript = deque(maxlen=LOG_ENTRIES_KEPT)  # pyright: ignore[reportAttributeAccessIssue]
        self.http_requests = deque(maxlen=LOG_ENTRIES_KEPT)  # pyright: ignore[reportAttributeAccessIssue]
        self.bot_user.name = "Easel"
        self.bot_user.avatar = self.cdn.store_avatar(self.bot_user.id, ICON.read_bytes())

    # Events

    def emit(self, event: str, payload: Mapping[str, Any]) -> None:
        """Complete an interaction's payload, then hand the event to the gateway."""
        if event == "INTERACTION_CREATE":
            payload = self._complete_interaction(payload)
            self.sent_at[int(payload["id"])] = time.monotonic()
        super().emit(event, payload)
        self._on_change()

    def _complete_interaction(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        guild_id = payload.get("guild_id")
        user_id = int((payload.get("member") or payload)["user"]["id"])
        completed = {
            **payload,
            "locale": self.locales.get(user_id, payload["locale"]),
            "attachment_size_limit": self.attachment_size_limit,
            "authorizing_integration_owners": self._owners(guild_id, user_id),
        }
        if guild_id is not None:
            completed["guild"] = {"id": guild_id, "locale": "en-US", "features": []}
            completed["channel"] = {
                **payload["channel"],
                "permissions": payload["member"]["permissions"],
            }
        return completed

    # Interactions

    def new_interaction(self, type: int, channel_id: int, user_id: int, guild_id: int | None) -> Interaction:  # noqa: A002 - SimCord's own argument name
        """Give an interaction the configured deadlines and a token that cannot be guessed."""
        record = super().new_interaction(type, channel_id, user_id, guild_id)
        del self.interaction_tokens[record.token]
        record.token = secrets.token_urlsafe(48)
        record.expires_at = self.iso_after(self.token_lifetime_s)
        record.initial_response_deadline = self.iso_after(self.interaction_deadline_s)
        self.interaction_tokens[record.token] = record.id
        return record

    def interaction_by_token(self, token: str) -> Interaction:
        """Answer an expired token as Discord does: 401 and 50027, not SimCord's 10015."""
        interaction_id = self.interaction_tokens.get(token)
        if interaction_id is not None:
            expires_at = self.interactions[interaction_id].expires_at
            if expires_at is not None and self.now_iso() >= expires_at:
                raise BackendError(401, 50027, "Invalid Webhook Token")
        return super().interaction_by_token(token)

    # Commands

    def register_commands(self, guild_id: int | None, payloads: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Register commands; add the fields that Discord returns: version, type, and permissions as text."""
        before = copy.deepcopy(self.commands.get(guild_id, {}))
        registered = super().register_commands(guild_id, payloads)
        for command in registered:
            permissions = command["default_member_permissions"]
            command["default_member_permissions"] = None if permissions is None else str(permissions)
            command.setdefault("nsfw", False)
            command.setdefault("contexts", None)
            command.setdefault("integration_types", [0])
            old = before.get((command["name"], command["type"]), {})
            is_same = {**command, "version": old.get("version")} == old
            command["version"] = old["version"] if is_same else str(self.snowflake())
        self._on_change()
        return registered

    # Messages

    def prepare_message(self, channel_id: int, author_id: int, content: str | None = "", **fields: Any) -> Message:
        """Make an answer ephemeral if it belongs to a user installation without the right to public answers."""
        caused_by = (fields.get("interaction_metadata") or {}).get("user")
        if caused_by is not None and not self.brought_along.get(int(caused_by["id"]), True):
            fields["flags"] = fields.get("flags", 0) | EPHEMERAL
        return super().prepare_message(channel_id, author_id, content, **fields)

    def commit_message(self, message: Message, *, broadcast: bool = True) -> Message:
        """Resolve `attachment://` and picture sizes before anybody sees a new message."""
        message.embeds = resolve_embeds(message.embeds, message.attachments)
        add_media_sizes(message.components, message.attachments)
        self._name_owners(message)
        committed = super().commit_message(message, broadcast=broadcast)
        self._on_change()
        return committed

    def edit_message(self, channel_id: int, message_id: int, fields: dict[str, Any]) -> Message:
        """Resolve `attachment://` and picture sizes before anybody sees an edit."""
        before = list(self.get_message(channel_id, message_id).attachments)
        attachments = fields.get("attachments", before) or []
        if fields.get("embeds"):
            fields["embeds"] = resolve_embeds(fields["embeds"], attachments)
        if fields.get("components"):
            add_media_sizes(fields["components"], attachments)
        message = super().edit_message(channel_id, message_id, fields)
        kept = {item["id"] for item in message.attachments}
        self.cdn.retire(item for item in before if item["id"] not in kept)
        self._on_change()
        return message

    def delete_message(self, channel_id: int, message_id: int) -> None:
        """Delete a message; its files go later."""
        attachments = list(self.get_message(channel_id, message_id).attachments)
        super().delete_message(channel_id, message_id)
        self.cdn.retire(attachments)
        self._on_change()

    def visible_messages(self, channel_id: int, viewer_id: int | None) -> list[dict[str, Any]]:
        """Return the messages that this person's client shows, newest first."""
        stored = sorted(self.messages.get(channel_id, {}).values(), key=lambda item: item.id, reverse=True)
        return [
            complete(serializers.message_payload(self, item, for_user=viewer_id))
            for item in stored
            if item.visible_to(viewer_id)
        ]

    def _name_owners(self, message: Message) -> None:
        if message.interaction_metadata is not None:
            guild_id = self.get_channel(message.channel_id).guild_id
            user_id = int(message.interaction_metadata["user"]["id"])
            message.interaction_metadata["authorizing_integration_owners"] = self._owners(guild_id, user_id)

    def _owners(self, guild_id: int | str | None, user_id: int) -> dict[str, str]:
        """Return who installed the app: a user, this server, or nobody (in a direct message)."""
        if user_id in self.brought_along:
            return {"1": str(user_id)}
        return {"0": "0" if guild_id is None else str(guild_id)}


def resolve_embeds(embeds: list[dict[str, Any]], attachments: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Point `attachment://name` in embeds at the uploaded file, as Discord does."""
    by_url = {f"attachment://{item['filename']}": item for item in attachments}
    resolved = copy.deepcopy(embeds)
    for embed in resolved:
        for part in ("image", "thumbnail"):
            media = embed.get(part) or {}
            if (file := by_url.get(media.get("url", ""))) is not None:
                media.update({key: file[key] for key in MEDIA_FIELDS if key in file})
        for part in ("author", "footer"):
            icon = embed.get(part) or {}
            if (file := by_url.get(icon.get("icon_url", ""))) is not None:
                icon["icon_url"], icon["proxy_icon_url"] = file["url"], file["proxy_url"]
    return resolved


def add_media_sizes(node: Any, attachments: list[dict[str, Any]]) -> None:
    """Add width and height to each picture of a components tree; SimCord omits them."""
    by_id = {item["id"]: item for item in attachments}

    def visit(value: Any) -> None:
        if isinstance(value, list):
            for item in value:
                visit(item)
        elif isinstance(value, dict):
            file = by_id.get(value.get("attachment_id", ""))
            if file is not None and "width" in file:
                value.update(width=file["width"], height=file["height"], loading_state=2)
            for item in value.values():
                visit(item)

    visit(node)


def complete(payload: Any) -> Any:
    """Return a plain copy of a payload, with the fields of users that SimCord omits.

    The round trip through JSON also copies SimCord's live objects and turns its
    enumerations into plain numbers.
    """
    return json.loads(json.dumps(payload), object_hook=_complete_user)


def _complete_user(node: dict[str, Any]) -> dict[str, Any]:
    if "username" in node and "discriminator" in node:
        return {**USER_FIELDS, **node}
    return node
