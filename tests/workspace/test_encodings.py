"""Text files in the encodings of real offices, and bytes that are no text."""

from __future__ import annotations

import codecs

import pytest

from kpi_rules.model.problems import Place, Problem
from kpi_rules.workspace.encodings import Decoded, guess_remark, to_utf8

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
            (
                "units.csv, table units, row 2: found byte 0xCA at offset 18; "
                "expected text in the encoding utf-8; the file reads as gb18030"
            ),
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


def remark(text: str, encoding: str, declared: str | None = None) -> str | None:
    data = text.encode(encoding)
    decoded = to_utf8(data, declared, PLACE)
    assert isinstance(decoded, Decoded)
    found = guess_remark(data, decoded, lambda name: f'units = {{ source = "units.csv", encoding = "{name}" }}', PLACE)
    return None if found is None else f"{found.severity} {found.code}: {found.message}"


@pytest.mark.parametrize("text", [TEXT, "unit,name\nfinance,王镕\nwater,市水利局Büro\n", "unit,name\na,〇㐀\n"])
def test_a_guess_is_told_with_the_way_to_state_it(text: str) -> None:
    assert remark(text, "gb18030") == (
        "note guessed-encoding: units.csv, table units: found text read as gb18030, which is a guess; "
        'expected the encoding stated in kpi.toml: units = { source = "units.csv", encoding = "gb18030" }'
    )
    assert remark(text, "gb18030", "gb18030") is None
    assert remark(text, "utf-8") is None
    assert remark(text, "utf-8-sig") is None
    assert remark(text, "utf-16") is None


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_a_guess_that_makes_rare_characters_of_western_letters_is_a_warning(encoding: str) -> None:
    assert remark("unit,name\nfinance,Büro für Finanz\n", encoding) == (
        "warning guessed-encoding: units.csv, table units: found text read as gb18030, which is a guess and looks "
        "wrong: 'B黵o f黵 Finanz'; expected the encoding stated in kpi.toml, where it should read 'Büro für Finanz': "
        'units = { source = "units.csv", encoding = "cp1252" }'
    )
    for text in ("unit,name\na,Trésor général\n", "unit,name\na,Año\n", 'unit;name\na;"Säästöpankki, Größe"\n'):
        assert str(remark(text, encoding)).startswith("warning guessed-encoding: ")


def test_what_other_encoding_a_file_reads_in_is_told() -> None:
    def expected(data: bytes, declared: str | None) -> tuple[str, str | None]:
        problem = to_utf8(data, declared, PLACE)
        assert isinstance(problem, Problem)
        return problem.expected, problem.nearest

    assert expected(TEXT.encode(), "gb2312") == ("text in the encoding gb2312; the file reads as utf-8", None)
    assert expected("Büro für".encode("cp1252"), "utf-8") == (
        "text in the encoding utf-8; the file reads as cp1252",
        None,
    )
    assert expected(b"a,\xff\xff", "utf-8") == ("text in the encoding utf-8", None)
    assert expected("Straße, Café, Büro".encode("cp1252"), None)[1] == "cp1252"


@pytest.mark.parametrize("name", ["gb18031", "base64"])
def test_an_encoding_that_is_none(name: str) -> None:
    problem = to_utf8(b"a", name, PLACE)
    assert isinstance(problem, Problem)
    assert problem.code == "unknown-encoding"
    assert problem.message.startswith(
        f"units.csv, table units: found the encoding '{name}'; "
        "expected an encoding such as utf-8, gb18030 or utf-16 (nearest: "
    )
