"""The look: a theme of our own, dark and light, one of high contrast, and the terminal's own colours.

Hues are those of Okabe and Ito (2008), which people of every colour vision tell apart; what they mean is always said in
words as well.
"""

from __future__ import annotations

from typing import Final

from textual.theme import Theme

from kpi_rules_tui.texts import N_

DARK: Final = Theme(
    name="kpi-dark",
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
    dark=True,
    variables={
        "muted": "#8698a8",
        "block-cursor-background": "#2f5d7e",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-background": "#22303d",
        "footer-background": "#19222c",
        "footer-key-foreground": "#f0b849",
        "border": "#36506a",
        "border-blurred": "#26384a",
        "input-selection-background": "#2f5d7e",
    },
)

LIGHT: Final = Theme(
    name="kpi-light",
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
    dark=False,
    variables={
        "muted": "#5b6873",
        "block-cursor-background": "#005a8c",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-background": "#d8e4ec",
        "footer-background": "#eeece6",
        "footer-key-foreground": "#9a5b00",
        "border": "#9fb2c0",
        "border-blurred": "#cfd6da",
    },
)

CONTRAST: Final = Theme(
    name="kpi-contrast",
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
    dark=True,
    text_alpha=1.0,
    variables={
        "muted": "#d8d8d8",
        "block-cursor-background": "#f0e442",
        "block-cursor-foreground": "#000000",
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-background": "#3a3a3a",
        "footer-background": "#000000",
        "footer-foreground": "#ffffff",
        "footer-key-foreground": "#f0e442",
        "border": "#ffffff",
        "border-blurred": "#b0b0b0",
        "text-muted": "#ffffff",
        "foreground-muted": "#ffffff",
    },
)

TERMINAL: Final = Theme(
    name="kpi-terminal",
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
    variables={
        "ansi-background": "ansi_black",
        "ansi-foreground": "ansi_white",
        "muted": "ansi_default",
        "block-cursor-background": "ansi_blue",
        "block-cursor-foreground": "ansi_bright_white",
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-background": "ansi_bright_black",
        "footer-background": "ansi_default",
        "footer-key-foreground": "ansi_magenta",
        "border": "ansi_blue",
        "border-blurred": "ansi_bright_black",
    },
)

NAMES: Final = {
    "kpi-dark": N_("dark"),
    "kpi-light": N_("light"),
    "kpi-contrast": N_("high contrast"),
    "kpi-terminal": N_("the terminal's colours"),
}
"""The themes that can be chosen, in their order."""

OURS: Final = (DARK, LIGHT, CONTRAST, TERMINAL)
