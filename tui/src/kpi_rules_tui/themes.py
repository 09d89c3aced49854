"""The look: a theme of our own, dark and light, one of high contrast, and the terminal's own colours.

Hues are those of Okabe and Ito (2008), which people of every colour vision tell apart; what they mean is always said in
words as well.
"""

from __future__ import annotations

from typing import Any, Final

from textual.theme import Theme

from kpi_rules_tui.texts import N_


def _theme(
    name: str,
    *,
    surface: str,
    accent: str,
    muted: str,
    cursor: tuple[str, str, str],
    border: tuple[str, str],
    more: dict[str, str] | None = None,
    **colours: Any,  # noqa: ANN401 (what Textual's themes take)
) -> Theme:
    """Make a theme: `cursor` is its background, its text, and its background without the focus; `border` that of what
    has the focus, and of what has not.
    """
    variables = {
        "muted": muted,
        "block-cursor-background": cursor[0],
        "block-cursor-foreground": cursor[1],
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-background": cursor[2],
        "footer-background": surface,
        "footer-key-foreground": accent,
        "border": border[0],
        "border-blurred": border[1],
    }
    return Theme(name, surface=surface, accent=accent, variables=variables | (more or {}), **colours)


DARK: Final = _theme(
    "kpi-dark",
    primary="#7cc0e8",
    secondary="#9fb6c8",
    accent="#f0b849",
    warning="#e9a23b",
    error="#ff8a75",
    success="#4fc3a1",
    foreground="#dfe7ee",
    background="#10161d",
    surface="#19222c",
    panel="#223040",
    muted="#8698a8",
    cursor=("#2f5d7e", "#ffffff", "#22303d"),
    border=("#36506a", "#26384a"),
    more={"input-selection-background": "#2f5d7e"},
)

LIGHT: Final = _theme(
    "kpi-light",
    dark=False,
    primary="#005a8c",
    secondary="#4a6275",
    accent="#9a5b00",
    warning="#8a5200",
    error="#b3261e",
    success="#00664a",
    foreground="#1a232b",
    background="#fbfaf7",
    surface="#eeece6",
    panel="#e2dfd6",
    muted="#5b6873",
    cursor=("#005a8c", "#ffffff", "#d8e4ec"),
    border=("#9fb2c0", "#cfd6da"),
)

CONTRAST: Final = _theme(
    "kpi-contrast",
    primary="#56b4e9",
    secondary="#ffffff",
    accent="#f0e442",
    warning="#ffb000",
    error="#ffa07a",
    success="#2fe0a8",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#000000",
    text_alpha=1.0,
    muted="#d8d8d8",
    cursor=("#f0e442", "#000000", "#3a3a3a"),
    border=("#ffffff", "#b0b0b0"),
    more={"footer-foreground": "#ffffff", "text-muted": "#ffffff", "foreground-muted": "#ffffff"},
)

TERMINAL: Final = _theme(
    "kpi-terminal",
    ansi=True,
    primary="ansi_blue",
    secondary="ansi_cyan",
    accent="ansi_magenta",
    warning="ansi_yellow",
    error="ansi_red",
    success="ansi_green",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    boost="ansi_default",
    muted="ansi_default",
    cursor=("ansi_blue", "ansi_bright_white", "ansi_bright_black"),
    border=("ansi_blue", "ansi_bright_black"),
    more={"ansi-background": "ansi_black", "ansi-foreground": "ansi_white"},
)

OURS: Final = (DARK, LIGHT, CONTRAST, TERMINAL)

NAMES: Final = {
    "kpi-dark": N_("dark"),
    "kpi-light": N_("light"),
    "kpi-contrast": N_("high contrast"),
    "kpi-terminal": N_("the terminal's colours"),
}
"""The themes that can be chosen, in their order."""
