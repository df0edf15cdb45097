"""Wishes to be forgotten, and what became of jobs by them."""

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Self

import msgspec


class BlankedFor(StrEnum):
    """Why a job has no words and pictures any more."""

    MEMBER = "member"
    """Its member wished it."""
    AGE = "age"
    """Easel keeps words only for some days here."""
    SERVER = "server"
    """Easel left the server."""


class Scope(StrEnum):
    """What is forgotten: words and pictures alone, or everything that leads to the person."""

    WORDS = "words"
    EVERYTHING = "everything"


class AskedBy(StrEnum):
    """Who asked. A member's deletion gives no fresh quota and lifts no block; the owner's may."""

    MEMBER = "member"
    OWNER = "owner"


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """A wish to be forgotten, which concerns what was there at its time.

    `wish` is a random word, by which a database knows that it carried the wish out.
    """

    wish: str
    user_id: int
    scope: Scope
    by: AskedBy
    at: datetime

    @classmethod
    def new(cls, user_id: int, scope: Scope, by: AskedBy, at: datetime) -> Self:
        """A wish of now."""
        return cls(wish=uuid.uuid4().hex, user_id=user_id, scope=scope, by=by, at=at)
