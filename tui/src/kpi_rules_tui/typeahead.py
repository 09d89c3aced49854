"""Keys that are typed before what they are meant for is there.

A key that opens a field, a dialog or a page takes a moment, and longer on a busy machine; who knows the program types
on. Those keys wait here until the focus has moved, and then follow in the order in which they were typed: a `9` meant
for an amount never runs an action of the table that it was typed over.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Final

from textual import events

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.timer import Timer
    from textual.widget import Widget

    from kpi_rules_tui.app import Office

LOOK: Final = 0.01
"""Seconds between two looks at whether the focus has moved; nobody looks while no key has opened anything."""

LONGEST: Final = 0.25
"""Seconds after which keys go where they would have gone: the action has opened nothing after all."""


class Typeahead:
    """Holds keys back; `give` is what would have got them."""

    def __init__(self, office: Office, give: Callable[[events.Key], Awaitable[None]]) -> None:
        """Take whose keys they are, and who gets them."""
        self._office, self._give = office, give
        self._held: list[events.Key] | None = None
        self._from: Widget | None = None
        self._since = 0.0
        self._timer: Timer | None = None

    @property
    def waiting(self) -> bool:
        """Whether keys are held back."""
        return self._held is not None

    def hold(self) -> None:
        """Hold keys back from now on, until the focus is elsewhere."""
        if self._held is None:
            self._held = []
            self._timer = self._office.set_interval(LOOK, self._look)
        self._from, self._since = self._office.focused, monotonic()

    def takes(self, event: events.Key) -> bool:
        """Say whether a key is held back; it is kept then."""
        if self._held is None:
            return False
        self._held.append(event)
        return True

    async def _look(self) -> None:
        """Let the keys go once the focus is on something else, or nothing comes."""
        focused = self._office.focused
        moved = focused is not None and focused is not self._from
        if self._held is None or not (moved or monotonic() - self._since > LONGEST):
            return
        if self._timer is not None:
            self._timer.stop()
        held, self._held = sorted(self._held, key=lambda event: event.time), None
        for event in held:
            if not self.takes(event):  # unless one of them has opened something: the rest waits for that
                await self._give(events.Key(event.key, event.character))
