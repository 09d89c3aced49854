"""Bytes of a text file to UTF-8, whatever the office machine wrote them in.

UTF-8 (with or without a mark), UTF-16 with its mark, and GB18030 (which contains GBK and GB2312) are recognised;
another encoding has to be declared. Decoding is strict: a byte that fits nothing is reported with its offset and
never replaced.

GB18030 is a guess: it takes most bytes of Western European text too and makes rare characters of them. So it is told
wherever it was guessed, and told louder where the bytes look like Western European letters.
"""

from __future__ import annotations

import codecs
import re
from encodings.aliases import aliases
from itertools import islice
from typing import TYPE_CHECKING, Final

from attrs import define, evolve

from kpi_rules.locale import _
from kpi_rules.model.problems import Place, Problem, error, nearest, note, warning

if TYPE_CHECKING:
    from collections.abc import Callable

MARKS: Final = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
"""Byte order marks, by which a file names its own encoding."""

WESTERN: Final = "cp1252"
"""The encoding of Western European Windows, which has the letters of Latin-1 where that has them."""

LOOKED_AT: Final = 2_000
"""Characters of a file by which a guess is judged; the first line of rows shows as much as the last."""

ABOVE_ASCII: Final = 0x80
LOWER_CASE: Final = 0xDF
RAREST: Final = 0xFF
"""The letter ÿ: bytes of 0xFF are more often no text at all."""

_PAIR: Final = re.compile(rb"[\x80-\xff].", re.DOTALL)
"""A character of GB18030 that is not ASCII, or half of one; found from the left, as it is decoded."""

_FIELD: Final = re.compile(r'[^,;\t\r\n"]*')
_LONGEST: Final = 40


@define(frozen=True)
class Decoded:
    """The content of a text file as UTF-8 bytes without a mark, the encoding it was read as, and whether that is a
    guess: neither stated in `kpi.toml`, nor by a mark, nor UTF-8, which other encodings are hardly ever mistaken for.
    """

    data: bytes
    encoding: str
    guessed: bool = False


def to_utf8(data: bytes, declared: str | None, place: Place) -> Decoded | Problem:
    """Return the text of a file as UTF-8.

    Args:
        data: the file's bytes.
        declared: the encoding `kpi.toml` names, or None to detect it.
        place: where the file stands, for the problem.

    Returns:
        the text, or the problem `unknown-encoding` or `undecodable`.
    """
    if declared is not None:
        return _declared(data, declared, place)
    for mark, encoding in MARKS.items():
        if data.startswith(mark):
            return _decoded(data[len(mark) :], encoding, place, offset=len(mark))
    as_utf8 = _decoded(data, "utf-8", place)
    if isinstance(as_utf8, Decoded):
        return as_utf8
    as_gb18030 = _decoded(data, "gb18030", place)
    if isinstance(as_gb18030, Decoded):
        return evolve(as_gb18030, guessed=True)
    # GB18030 holds out longer than UTF-8 in what is mostly Chinese, so its byte is the one worth looking at.
    return evolve(
        as_gb18030,
        expected=_("text in UTF-8 or GB18030; another encoding is named by `encoding` in kpi.toml"),
        nearest=_other(data, place),
    )


def guess_remark(data: bytes, decoded: Decoded, declaration: Callable[[str], str], place: Place) -> Problem | None:
    """Return what to say of an encoding that was guessed: a note, or a warning where the guess looks wrong.

    Args:
        data: the file's bytes.
        decoded: what they were read as.
        declaration: gives how `kpi.toml` states an encoding, by its name, for this file.
        place: where the file stands.
    """
    if not decoded.guessed:
        return None
    if not _looks_western(data):
        return note(
            "guessed-encoding",
            place,
            found=_("text read as {encoding}, which is a guess").format(encoding=decoded.encoding),
            expected=_("the encoding stated in kpi.toml: {declaration}").format(
                declaration=declaration(decoded.encoding)
            ),
        )
    wrong, right = _example(data, decoded.encoding)
    return warning(
        "guessed-encoding",
        place,
        found=_("text read as {encoding}, which is a guess and looks wrong: '{text}'").format(
            encoding=decoded.encoding, text=wrong
        ),
        expected=_("the encoding stated in kpi.toml, where it should read '{text}': {declaration}").format(
            text=right, declaration=declaration(WESTERN)
        ),
    )


def _looks_western(data: bytes) -> bool:
    """Whether most characters that are not ASCII are rare ones in Chinese, and Western letters in lower case or with
    ASCII behind them.

    Of the characters in common Chinese use both bytes are above 0x7F, and seldom both letters in lower case.
    """
    pairs = [match.group() for match in islice(_PAIR.finditer(data), LOOKED_AT)]
    western = sum(_is_western(pair) for pair in pairs)
    return 2 * western > len(pairs)


def _is_western(pair: bytes) -> bool:
    if pair[1] < ABOVE_ASCII:
        return pair[:1].decode(WESTERN, "replace").isalpha()
    return pair.decode(WESTERN, "replace").islower() and min(pair) >= LOWER_CASE and max(pair) < RAREST


def _example(data: bytes, encoding: str) -> tuple[str, str]:
    """Return a field with a doubtful character, as it was read and as Western European text."""
    at = next(match.start() for match in _PAIR.finditer(data) if _is_western(match.group()))
    start = max(data.rfind(sign, 0, at) for sign in (b",", b";", b"\t", b"\n", b'"')) + 1
    field = data[start : start + 4 * _LONGEST]
    texts = (_FIELD.match(field.decode(each, "replace")) for each in (encoding, WESTERN))
    wrong, right = (match.group()[:_LONGEST] if match is not None else "" for match in texts)
    return wrong, right


def _declared(data: bytes, declared: str, place: Place) -> Decoded | Problem:
    try:
        name = codecs.lookup(declared).name
        "".encode(name)  # a codec such as `hex` is found too, but is none of text
    except (LookupError, ValueError):
        return error(
            "unknown-encoding",
            place,
            found=_("the encoding '{encoding}'").format(encoding=declared),
            expected=_("an encoding such as utf-8, gb18030 or utf-16"),
            nearest=nearest(declared.lower(), ["utf-8", "gb18030", "gbk", "gb2312", "utf-16", "big5", *aliases]),
        )
    bare = data.removeprefix(codecs.BOM_UTF8) if name in ("utf-8", "utf-8-sig") else data
    found = _decoded(bare, "utf-8" if name == "utf-8-sig" else name, place, offset=len(data) - len(bare))
    other = _other(data, place) if isinstance(found, Problem) else None
    if isinstance(found, Problem) and other is not None:
        expected = _("text in the encoding {encoding}; the file reads as {other}")
        return evolve(found, expected=expected.format(encoding=name, other=other))
    return found


def _other(data: bytes, place: Place) -> str | None:
    """Return the encoding in which a file that is not in the declared one can be read, if one is likely."""
    if isinstance(_decoded(data, "utf-8", place), Decoded):
        return "utf-8"
    if isinstance(_decoded(data, "gb18030", place), Decoded) and not _looks_western(data):
        return "gb18030"
    return WESTERN if _looks_western(data) and isinstance(_decoded(data, WESTERN, place), Decoded) else None


def _decoded(data: bytes, encoding: str, place: Place, offset: int = 0) -> Decoded | Problem:
    """Decode strictly; `offset` is what stood before `data` in the file."""
    if encoding == "utf-8" and data.isascii():
        return Decoded(data, encoding)  # the common case of a large file, without a copy
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as failure:
        at = offset + failure.start
        lines = None if encoding.startswith(("utf-16", "utf_16")) else data[: failure.start].count(b"\n") + 1
        return error(
            "undecodable",
            evolve(place, row=lines),
            found=_("byte 0x{byte:02X} at offset {offset}").format(byte=data[failure.start], offset=at),
            expected=_("text in the encoding {encoding}").format(encoding=encoding),
        )
    return Decoded(data if encoding == "utf-8" else text.encode(), encoding)
