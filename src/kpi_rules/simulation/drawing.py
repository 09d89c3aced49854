"""From a chart to a file: SVG and PNG, without a browser and without a network."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kpi_rules.simulation.panels import Chart

ENDINGS: Final = ("svg", "png")

FONTS: Final = (
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "Microsoft YaHei",
    "PingFang SC",
    "WenQuanYi Micro Hei",
    "sans-serif",
)
"""Fonts with Chinese characters, as systems ship them; the first that is there is taken."""

SCALE: Final = 2
"""Dots of a PNG for each of the chart, along each side."""

_PROBE: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40">'
    '<text x="5" y="30" font-size="24" font-family="{fonts}">{text}</text></svg>'
)


def drawn(chart: Chart, ending: str) -> bytes:
    """Return a chart as a file: `svg`, in which text stays text, or `png`, for which this machine's fonts are used.

    Nothing is read from a network; a chart holds its data.

    Raises:
        ValueError: another ending.
    """
    import vl_convert

    content = chart.to_json(validate=False)  # altair has made it, and our tests validate it
    if ending == "svg":
        return vl_convert.vegalite_to_svg(content, allowed_base_urls=[]).encode()
    if ending == "png":
        return vl_convert.vegalite_to_png(content, scale=SCALE, allowed_base_urls=[])
    raise ValueError(ending)


@cache
def chinese_drawn() -> bool:
    """Say whether this machine has a font with Chinese characters: without one a PNG has nothing where they stand."""
    import vl_convert

    fonts = ", ".join(FONTS)
    one, other = (vl_convert.svg_to_png(_PROBE.format(fonts=fonts, text=text)) for text in "市财")
    return one != other
