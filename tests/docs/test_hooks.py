"""The hook reference has every hook, every attribute and every parameter, and says which are required."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import attrs
import pytest

import kpi_rules as kr
from kpi_rules.hooks import specs
from kpi_rules.model import settings

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "hooks.md").read_text(encoding="utf-8")
HOOKS = [name for name in vars(specs) if name.startswith("kpi_")]
HOMES = ("kpi_rules.model.contributions", "kpi_rules.model.deposits", "kpi_rules.model.forecasts")
DECLARED = [
    name
    for name in kr.__all__
    if inspect.isclass(getattr(kr, name)) and attrs.has(getattr(kr, name)) and getattr(kr, name).__module__ in HOMES
]
MAKERS = [
    name
    for name in kr.__all__
    if inspect.isfunction(getattr(kr, name)) and getattr(kr, name).__module__ == settings.__name__
]
BY_LIBRARY = {"plugin", "domain"}
"""Attributes that are set when a policy is loaded."""


def section(title: str) -> str:
    """Return what stands under a heading, up to the next heading of any level."""
    match = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^##|\Z)", PAGE, flags=re.MULTILINE | re.DOTALL)
    assert match is not None, f"no section {title}"
    return match[1]


def headings(level: str) -> list[str]:
    return re.findall(rf"^{level} (.+)$", PAGE, flags=re.MULTILINE)


def test_every_hook_has_its_section_in_order() -> None:
    assert [title for title in headings("##") if title.startswith("kpi_")] == HOOKS
    assert re.findall(r"^\| \[`(kpi_\w+)`\]", PAGE, flags=re.MULTILINE) == HOOKS


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_is_shown_with_its_signature_and_an_example(name: str) -> None:
    function = getattr(specs, name)
    parameters = ", ".join(
        f"{parameter.name}: {parameter.annotation}" for parameter in inspect.signature(function).parameters.values()
    )
    shown = f"def {name}({parameters}) -> {inspect.signature(function).return_annotation}"
    text = section(name)
    assert f"```python\n{shown}: ...\n```" in text
    examples = re.findall(r"^```python file=\S+\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    assert any(re.search(rf"^@(kr\.)?hookimpl\ndef {name}\(", example, flags=re.MULTILINE) for example in examples)


def test_everything_a_policy_declares_has_its_section() -> None:
    assert {"Rule", "Hold", "Check", "Credit", "Indicator", "PaceCurve", "Guard"} <= set(DECLARED)
    titles = headings("###")
    assert sorted(titles) == sorted([*DECLARED, *MAKERS])


@pytest.mark.parametrize("name", DECLARED)
def test_every_attribute_is_explained_and_the_required_ones_are_bold(name: str) -> None:
    fields = [field for field in attrs.fields(getattr(kr, name)) if field.name not in BY_LIBRARY]
    first_cells = re.findall(r"^\| (\**`.*?`\**) \|", section(name), flags=re.MULTILINE)
    shown = [cell for cells in first_cells for cell in cells.split(", ")]
    required = [f"**`{field.name}`**" if field.default is attrs.NOTHING else f"`{field.name}`" for field in fields]
    assert shown == required


@pytest.mark.parametrize("name", MAKERS)
def test_every_parameter_of_a_setting_is_shown(name: str) -> None:
    parameters = inspect.signature(getattr(kr, name)).parameters.values()
    positional = [each.name for each in parameters if each.kind is not inspect.Parameter.KEYWORD_ONLY]
    keywords = [each.name for each in parameters if each.kind is inspect.Parameter.KEYWORD_ONLY]
    assert section(name).startswith(f"\n`{name}({', '.join([*positional, '*', *keywords])})`")
