"""Who may come in: one link at a time, good for one use, and the cookies it was exchanged for."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Final

from attrs import Factory, define, field

if TYPE_CHECKING:
    from collections.abc import Callable

GOOD: Final = 10 * 60.0
"""Seconds for which a link may be used."""

IDLE: Final = 12 * 60 * 60.0
"""Seconds without a key or a page after which a visitor needs another link."""


@define(eq=False)
class Visitor:
    """A browser that was let in: its cookie, when it was last heard of, and how many tabs it has open."""

    key: str
    seen: float
    tabs: int = 0


@define
class Door:
    """Tokens are exchanged for cookies here; there are never more cookies than places."""

    places: int
    clock: Callable[[], float] = time.monotonic
    _token: str = field(default="", init=False)
    _until: float = field(default=0.0, init=False)
    _visitors: list[Visitor] = field(default=Factory(list), init=False)

    def issue(self) -> str:
        """Return a new token; the one before is worth nothing from now on."""
        self._token, self._until = secrets.token_urlsafe(32), self.clock() + GOOD
        return self._token

    @property
    def stale(self) -> bool:
        """Whether there is no token that could be used."""
        return not self._token or self.clock() >= self._until

    def enter(self, token: str) -> Visitor | None:
        """Exchange the token for a visitor's key; None where it is not the token, or no longer."""
        if self.stale or not _same(token, self._token):
            return None
        self._token = ""
        self._forget()
        visitor = Visitor(secrets.token_urlsafe(32), self.clock())
        self._visitors.append(visitor)
        return visitor

    def known(self, key: str) -> Visitor | None:
        """Return the visitor of a cookie."""
        now = self.clock()
        for visitor in self._visitors:
            if _same(key, visitor.key) and (visitor.tabs or now - visitor.seen < IDLE):
                visitor.seen = now
                return visitor
        return None

    def _forget(self) -> None:
        """Make room for one more: who has no tab open and was away longest needs another link."""
        away = sorted((each for each in self._visitors if not each.tabs), key=lambda each: each.seen)
        over = len(self._visitors) + 1 - self.places
        for visitor in away[: max(over, 0)]:
            self._visitors.remove(visitor)


def _same(given: str, ours: str) -> bool:
    """Compare in a time that says nothing; as bytes, for a text with other letters would be refused loudly."""
    return secrets.compare_digest(given.encode("utf-8", "surrogateescape"), ours.encode())
