"""Keys that are typed before what they are meant for is there.

A key is handed to what has the focus, and acts only once it has come back from there; one that opens a field, a dialog
or a page takes a moment more, and longer on a busy machine. Who knows the program types on. So one key is under way at
a time: the others wait here, in the order in which they were typed, until it has acted and what it opened has the
focus. A `9` meant for an amount never runs an action of the table that it was typed over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.message import Message

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual import events
    from textual.timer import Timer
    from textual.widget import Widget

    from kpi_rules_tui.app import Office

LOOK: Final = 0.01
"""Seconds between two looks at whether the focus has moved; nobody looks while no key is under way."""

LONGEST: Final = 25
"""Looks after which keys go where they would have gone: the action has opened nothing after all. Looks and not seconds,
since nobody looks while the program is busy with what the key has asked for.
"""

LOST: Final = 100
"""Looks after which a key counts as done: what it was handed to has gone before it answered."""


class Passed(Message):
    """Follows a key to what has the focus, and back to the application: whatever the key does has begun by then."""


class Typeahead:
    """Holds keys back; `hand` is what would have got them."""

    def __init__(self, office: Office, hand: Callable[[events.Key], Awaitable[None]]) -> None:
        """Take whose keys they are, and who gets them."""
        self._office, self._hand = office, hand
        self._held: list[events.Key] = []
        self._follower: Passed | None = None
        self._opening = False
        self._from: Widget | None = None
        self._looks = 0
        self._timer: Timer | None = None

    @property
    def waiting(self) -> bool:
        """Whether keys are held back."""
        return self._opening or self._follower is not None

    def hold(self) -> None:
        """Hold keys back until the focus is elsewhere: something is being opened."""
        self._opening, self._from = True, self._office.focused
        self._watch()

    async def take(self, event: events.Key) -> None:
        """Hand on a key, or keep it until it is its turn."""
        self._held.append(event)
        await self._go_on()

    async def passed(self, follower: Passed) -> None:
        """Note that the key under way has acted."""
        if follower is self._follower:
            self._follower = None
            await self._look()

    async def _go_on(self) -> None:
        """Hand on the next key, if none is under way."""
        while self._held and not self.waiting:
            event, target = self._held.pop(0), self._office.focused or self._office.screen
            self._follower = follower = Passed()
            self._watch()
            await self._hand(event)
            if not target.post_message(follower):  # it has gone meanwhile
                self._follower = None
        if not self.waiting and self._timer is not None:
            self._timer.stop()
            self._timer = None

    def _watch(self) -> None:
        self._looks = 0
        if self._timer is None:
            self._timer = self._office.set_interval(LOOK, self._look)

    async def _look(self) -> None:
        """Go on once what was opened has the focus, or nothing comes."""
        self._looks += 1
        focused = self._office.focused
        if self._looks > LOST:
            self._follower = None
        if self._opening and ((focused is not None and focused is not self._from) or self._looks > LONGEST):
            self._opening = False
        await self._go_on()
