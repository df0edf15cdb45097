"""The only place that touches the inner parts of SimCord.

SimCord 3.2.1 models Discord's world (members, messages, permissions, components,
error codes) but meets a bot only inside its own process. This package opens that
world up to the wire. It leans on parts that SimCord calls internal, therefore the
exact version is pinned, nothing outside this package imports them, and
`tests/playground/test_simcord_internals.py` names each one, so that an upgrade
fails there first.
"""

from simcord import InteractionResult, MemberActor, ResponseMessage, SetupError
from simcord.builders import ChannelHandle, GuildHandle, UserHandle

from playground.bridge.backend import ATTACHMENT_SIZE_LIMIT, LocalBackend
from playground.bridge.env import LocalEnv, Person
from playground.bridge.events import EventShaper
from playground.bridge.page import LivePage
from playground.bridge.requests import Answer, Upload, dispatch

__all__ = [
    "ATTACHMENT_SIZE_LIMIT",
    "Answer",
    "ChannelHandle",
    "EventShaper",
    "GuildHandle",
    "InteractionResult",
    "LivePage",
    "LocalBackend",
    "LocalEnv",
    "MemberActor",
    "Person",
    "ResponseMessage",
    "SetupError",
    "Upload",
    "UserHandle",
    "dispatch",
]
