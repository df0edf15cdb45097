"""The roster: all invited hosts with their public keys, and the keys of the bot itself, in one folder.

A host's private key is nowhere but in its line. Whoever may read this folder may speak for the bot, so only its owner
may.
"""

import contextlib
import os
from collections.abc import Generator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
import nkeys

from bot.hosts.certificate import make_certificate, print_of_file
from pipeline.link.line import MAX_NAME, Line, is_name
from pipeline.link.link import Door
from pipeline.link.subjects import BOT

_SECRET: Final = 0o600


class RosterFault(Exception):
    """A host cannot be invited, drained or removed, or the folder cannot be used; the message is a sentence."""


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One invited host.

    Attributes:
        public_key: its public key, as NATS writes nkeys.
        invited_at: time of its invitation, UTC.
        is_draining: whether its owner wants it to get no more jobs.
    """

    public_key: str
    invited_at: datetime
    is_draining: bool = False


class _File(msgspec.Struct, kw_only=True):
    bot_seed: str
    system_seed: str
    members: dict[str, Member] = {}


class Roster:
    """The folder of the owner's files about hosts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    @property
    def folder(self) -> Path:
        """The folder."""
        return self._folder

    @property
    def certificate(self) -> Path:
        """The server's certificate."""
        return self._folder / "certificate.pem"

    @property
    def certificate_key(self) -> Path:
        """Its private key."""
        return self._folder / "certificate.key"

    @property
    def members(self) -> Mapping[str, Member]:
        """The invited hosts by name; none before the first invitation.

        Raises:
            RosterFault: the file cannot be read.
        """
        return self._read().members if self._path.exists() else {}

    @property
    def draining(self) -> dict[str, bool]:
        """Whether each host is drained by its owner, by its name.

        Raises:
            RosterFault: the file cannot be read.
        """
        return {name: member.is_draining for name, member in self.members.items()}

    def begin(self) -> None:
        """Make keys and certificate, if there are none.

        Raises:
            RosterFault: they cannot be written.
        """
        with self._told():
            self._folder.mkdir(parents=True, exist_ok=True)
            if not self.certificate.exists():
                make_certificate(self.certificate, self.certificate_key)
            if not self._path.exists():
                self._write(_File(bot_seed=_new_seed(), system_seed=_new_seed()))

    def invite(self, name: str, address: str) -> Line:
        """Invite a host, and return the line that it joins with. Nobody can read the line again later.

        Raises:
            RosterFault: the name is taken or cannot be one, or the files cannot be written.
        """
        if not is_name(name) or name == BOT:
            raise RosterFault(
                f"'{name}' cannot be a host's name; take small letters, digits and hyphens, {MAX_NAME} at most, "
                f"but not '{BOT}'."
            )
        self.begin()
        file = self._read()
        if name in file.members:
            raise RosterFault(f"There is a host {name} already; remove it first, or take another name.")
        seed = _new_seed()
        file.members[name] = Member(public_key=_public_key(seed), invited_at=datetime.now(UTC))
        self._write(file)
        return Line(address=address, name=name, seed=seed, fingerprint=self.fingerprint)

    def drain(self, name: str, *, is_draining: bool) -> None:
        """Give a host no more jobs, or jobs again.

        Raises:
            RosterFault: there is no such host, or the file cannot be written.
        """
        file = self._read()
        file.members[name] = msgspec.structs.replace(self._member(file, name), is_draining=is_draining)
        self._write(file)

    def remove(self, name: str) -> None:
        """Forget a host and its key.

        Raises:
            RosterFault: there is no such host, or the file cannot be written.
        """
        file = self._read()
        self._member(file, name)
        del file.members[name]
        self._write(file)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the server's certificate in hexadecimal digits.

        Raises:
            RosterFault: it cannot be read.
        """
        with self._told():
            return print_of_file(self.certificate)

    def door(self, address: str) -> Door:
        """The bot's own way to the server at an address.

        Raises:
            RosterFault: the folder cannot be read.
        """
        return Door(address=address, name=BOT, seed=self._read().bot_seed, fingerprint=self.fingerprint)

    def system_door(self, address: str) -> Door:
        """The way to the server for who wants it to read its configuration again.

        Raises:
            RosterFault: the folder cannot be read.
        """
        return Door(address=address, name="system", seed=self._read().system_seed, fingerprint=self.fingerprint)

    @property
    def public_keys(self) -> tuple[str, str]:
        """Public keys of the bot and of the server's own account.

        Raises:
            RosterFault: the folder cannot be read.
        """
        file = self._read()
        return _public_key(file.bot_seed), _public_key(file.system_seed)

    @property
    def _path(self) -> Path:
        return self._folder / "hosts.json"

    def _member(self, file: _File, name: str) -> Member:
        if name not in file.members:
            known = ", ".join(file.members) or "none"
            raise RosterFault(f"There is no host {name}; there are: {known}.")
        return file.members[name]

    def _read(self) -> _File:
        with self._told():
            if not self._path.exists():
                raise RosterFault("No host was invited yet; `easel hosts invite NAME` invites one.")
            return msgspec.json.decode(self._path.read_bytes(), type=_File)

    def _write(self, file: _File) -> None:
        with self._told():
            new = self._path.with_suffix(".new")
            new.unlink(missing_ok=True)
            new.touch(mode=_SECRET)
            new.write_bytes(msgspec.json.format(msgspec.json.encode(file)))
            new.replace(self._path)

    @contextlib.contextmanager
    def _told(self) -> Generator[None]:
        try:
            yield
        except OSError as error:
            raise RosterFault(f"The folder {self._folder} cannot be used ({error.strerror}).") from error
        except (ValueError, msgspec.DecodeError) as error:
            raise RosterFault(f"A file in {self._folder} is broken ({error}).") from error


def _new_seed() -> str:
    return nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER).decode()


def _public_key(seed: str) -> str:
    key: Any = nkeys.from_seed(bytearray(seed.encode())).public_key  # the library calls its bytes a `VerifyKey`
    return key.decode()
