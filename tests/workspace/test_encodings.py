"""Text files in the encodings of real offices, and bytes that are no text."""

from __future__ import annotations

import codecs

import pytest

from kpi_rules.model.problems import Place, Problem
from kpi_rules.workspace.encodings import Decoded, to_utf8

PLACE = Place(file="units.csv", table="units")
TEXT = "unit,name\nfinance,市财政局\n"


@pytest.mark.parametrize(
    ("data", "declared", "encoding"),
    [
        (TEXT.encode(), None, "utf-8"),
        (codecs.BOM_UTF8 + TEXT.encode(), None, "utf-8"),
        (codecs.BOM_UTF8 + TEXT.encode(), "utf-8", "utf-8"),
        (TEXT.encode("gb18030"), None, "gb18030"),
        (TEXT.encode("gbk"), "GBK", "gbk"),
        (codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"), None, "utf-16-le"),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), None, "utf-16-be"),
        (TEXT.replace("财", "財").encode("big5", "ignore"), "big5", "big5"),
    ],
)
def test_encodings(data: bytes, declared: str | None, encoding: str) -> None:
    decoded = to_utf8(data, declared, PLACE)
    assert isinstance(decoded, Decoded)
    assert decoded.encoding == encoding
    assert decoded.data.decode().startswith("unit,name\nfinance,市")


@pytest.mark.parametrize(
    ("data", "declared", "message"),
    [
        (
            b"unit,name\na,\xff\xfe\n",
            None,
            (
                "units.csv, table units, row 2: found byte 0xFF at offset 12; "
                "expected text in UTF-8 or GB18030; another encoding is named by `encoding` in kpi.toml"
            ),
        ),
        (
            TEXT.encode("gb18030"),
            "utf-8",
            "units.csv, table units, row 2: found byte 0xCA at offset 18; expected text in the encoding utf-8",
        ),
        (
            codecs.BOM_UTF8 + b"a\xff",
            None,
            "units.csv, table units, row 1: found byte 0xFF at offset 4; expected text in the encoding utf-8",
        ),
    ],
)
def test_bytes_that_are_no_text(data: bytes, declared: str | None, message: str) -> None:
    problem = to_utf8(data, declared, PLACE)
    assert isinstance(problem, Problem)
    assert (problem.code, problem.severity) == ("undecodable", "error")
    assert problem.message == message


@pytest.mark.parametrize("name", ["gb18031", "base64"])
def test_an_encoding_that_is_none(name: str) -> None:
    problem = to_utf8(b"a", name, PLACE)
    assert isinstance(problem, Problem)
    assert problem.code == "unknown-encoding"
    assert problem.message.startswith(
        f"units.csv, table units: found the encoding '{name}'; "
        "expected an encoding such as utf-8, gb18030 or utf-16 (nearest: "
    )
