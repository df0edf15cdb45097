"""What the commands about hosts tell the server and the running bot, and ask the bot."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import msgspec

from bot.hosts.roster import Roster, RosterFault
from bot.hosts.server import listening, write_configuration
from config.settings import Settings
from pipeline.backends.base import HostView
from pipeline.link.link import Door, Link, NoAnswer
from pipeline.link.subjects import FLEET

_CONNECT_S: Final = 5.0
_ANSWER_S: Final = 2.0
_PING: Final = "$SYS.REQ.SERVER.PING"
_RELOAD: Final = "$SYS.REQ.SERVER.{id}.RELOAD"

_T = TypeVar("_T")


def change(settings: Settings, roster: Roster) -> str:
    """Write the server's configuration anew, and have server and bot read what is new; one sentence on how that went.

    Raises:
        RosterFault: the roster cannot be read, the configuration not be written, or the server refuses it.
    """
    write_configuration(roster, listening(roster))
    return asyncio.run(_tell(settings, roster))


def lines_of(settings: Settings, roster: Roster) -> list[str]:
    """A line for each host, with what the running bot knows of it.

    Raises:
        RosterFault: the roster cannot be read.
    """
    members = roster.members
    if not members:
        return ["No host was invited yet; `easel hosts invite NAME` invites one."]
    views, trouble = asyncio.run(_ask(settings, roster))
    known = {view.name: view for view in views}
    lines = [_line(name, known.get(name), is_draining=member.is_draining) for name, member in members.items()]
    return [trouble, *lines] if trouble else lines


def _line(name: str, view: HostView | None, *, is_draining: bool) -> str:
    if view is None:
        return f"{name}: {'draining' if is_draining else 'invited'}"
    load = f", {view.running} of {view.capacity} jobs" if view.capacity else ""
    device = f", {view.device}" if view.device else ""
    models = f", models: {', '.join(view.models)}" if view.models else ""
    easel = f", Easel {view.easel}" if view.easel else ""
    detail = f" ({view.detail})" if view.detail else ""
    return f"{name}: {view.state}{load}{device}{models}{easel}{detail}"


async def _tell(settings: Settings, roster: Roster) -> str:
    address = settings.hosts.server
    try:
        await _with_link(roster.system_door(address), _reload)
    except NoAnswer:
        return f"The NATS server at {address} did not answer; it reads the change when it starts."
    try:
        await _with_link(roster.door(address), lambda link: link.request(FLEET, b"", _ANSWER_S))
    except NoAnswer:
        return "The server knows it. Easel does not run, and reads it when it starts."
    return "The server and Easel know it."


async def _reload(link: Link) -> None:
    server = json.loads(await link.request(_PING, b"", _ANSWER_S))["server"]["id"]
    answer = json.loads(await link.request(_RELOAD.format(id=server), b"", _ANSWER_S))
    if "error" in answer:
        raise RosterFault(f"The NATS server refuses its new configuration: {answer['error']['description']}.")


async def _ask(settings: Settings, roster: Roster) -> tuple[list[HostView], str]:
    try:
        found = await _with_link(roster.door(settings.hosts.server), lambda link: link.request(FLEET, b"", _ANSWER_S))
    except NoAnswer:
        return [], "Easel does not run, or does not reach the NATS server; this is whom it invited."
    return msgspec.json.decode(found, type=list[HostView]), ""


async def _with_link(door: Door, work: Callable[[Link], Awaitable[_T]]) -> _T:
    """Do something over a link of its own.

    Raises:
        NoAnswer: the server is not reached, or nobody answers.
    """
    is_up = asyncio.Event()
    link = Link(door, handlers={}, on_up=is_up.set)
    link.start()
    try:
        async with asyncio.timeout(_CONNECT_S):
            await is_up.wait()
        return await work(link)
    except TimeoutError as error:
        raise NoAnswer(link.trouble) from error
    finally:
        await link.close()
