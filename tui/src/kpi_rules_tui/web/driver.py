"""Textual's driver for browsers, with the focus from the start, and a word to the page about what is not saved."""

from __future__ import annotations

from textual import events
from textual.drivers.web_driver import WebDriver


class BrowserDriver(WebDriver):
    """Begins with the focus: Textual's takes it away until the page tells of it, which may be too early to be heard."""

    def start_application_mode(self) -> None:
        """Begin, and give back the focus that this took away; both wait in the same queue, in this order."""
        super().start_application_mode()
        self._app.call_later(self._app.post_message, events.AppFocus())

    def tell_unsaved(self, some: bool) -> None:  # noqa: FBT001 (as it is sent)
        """Let the page know whether something is not saved: closing it then asks first."""
        self.write_meta({"type": "unsaved", "some": some})
