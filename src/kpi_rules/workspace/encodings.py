"""Bytes of a text file to UTF-8, whatever the office machine wrote them in.

UTF-8 (with or without a mark), UTF-16 with its mark, and GB18030 (which contains GBK and GB2312) are recognised;
another encoding has to be declared. Decoding is strict: a byte that fits nothing is reported with its offset and
never replaced.
"""

from __future__ import annotations

import codecs
from encodings.aliases import aliases
from typing import Final

from attrs import define, evolve

from kpi_rules.locale import _
from kpi_rules.model.problems import Place, Problem, error, nearest

MARKS: Final = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
"""Byte order marks, by which a file names its own encoding."""


@define(frozen=True)
class Decoded:
    """The content of a text file as UTF-8 bytes without a mark, and the encoding it was read as."""

    data: bytes
    encoding: str


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
        return as_gb18030
    # GB18030 holds out longer than UTF-8 in what is mostly Chinese, so its byte is the one worth looking at.
    return evolve(
        as_gb18030, expected=_("text in UTF-8 or GB18030; another encoding is named by `encoding` in kpi.toml")
    )


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
    return _decoded(bare, "utf-8" if name == "utf-8-sig" else name, place, offset=len(data) - len(bare))


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
