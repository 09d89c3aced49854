"""Message catalogues as files: read `.po`, write `.mo`. Standard library only, for the build hook uses it too.

The formats are those of GNU gettext ("The Format of PO Files", "The Format of GNU MO Files").
"""

from __future__ import annotations

import ast
import struct

_MAGIC = 0x950412DE
_HEADER_WORDS = 7


def read_po(text: str) -> dict[str, str]:
    """Read a `.po` file into message -> translation, as a `.mo` keys them.

    A plural is joined by NUL (`singular NUL plural` -> `form 0 NUL form 1 ...`), a context comes first, ended by EOT.
    Entries that are fuzzy, obsolete or not translated are left out. Raises ValueError, naming the line, where a text
    is not quoted.
    """
    entries: dict[str, str] = {}
    fields: dict[str, str] = {}
    fuzzy, current = False, ""
    for number, raw in enumerate([*text.lstrip("\ufeff").splitlines(), ""], start=1):
        line = raw.strip()
        if line.startswith("#~"):
            continue
        starts_entry = line.startswith(("#", "msgctxt ")) or (line.startswith("msgid ") and current != "msgctxt")
        if (not line or starts_entry) and "msgstr" in {name.partition("[")[0] for name in fields}:
            _add(entries, fields, fuzzy=fuzzy)
            fields, fuzzy, current = {}, False, ""
        if line.startswith("#,"):
            fuzzy = fuzzy or "fuzzy" in line
        elif line.startswith('"'):
            fields[current] = fields.get(current, "") + _unquote(line, number)
        elif line and not line.startswith("#"):
            current, _space, quoted = line.partition(" ")
            fields[current] = _unquote(quoted, number)
    return entries


def _add(entries: dict[str, str], fields: dict[str, str], *, fuzzy: bool) -> None:
    key = fields.get("msgid", "")
    if "msgid_plural" in fields:
        key += "\0" + fields["msgid_plural"]
    if "msgctxt" in fields:
        key = fields["msgctxt"] + "\x04" + key
    forms = [value for name, value in sorted(fields.items()) if name.startswith("msgstr")]
    if all(forms) and (not fuzzy or not key):  # the header is never left out: it names the encoding
        entries[key] = "\0".join(forms)


def _unquote(quoted: str, number: int) -> str:
    try:
        value = ast.literal_eval(quoted.strip())
    except (SyntaxError, ValueError):
        value = None
    if not isinstance(value, str):
        msg = f"line {number}: expected a quoted string, found {quoted!r}"
        raise ValueError(msg)  # noqa: TRY004 (the text is wrong, not the caller's type)
    return value


def compile_mo(entries: dict[str, str]) -> bytes:
    """Write message -> translation as a `.mo` file, messages sorted as the format requires, without a hash table."""
    pairs = sorted((key.encode(), value.encode()) for key, value in entries.items())
    start = _HEADER_WORDS * 4
    texts_at = start + 16 * len(pairs)
    tables: list[bytes] = []
    texts = b""
    for side in (0, 1):
        for pair in pairs:
            tables.append(struct.pack("<II", len(pair[side]), texts_at + len(texts)))
            texts += pair[side] + b"\0"
    head = struct.pack("<7I", _MAGIC, 0, len(pairs), start, start + 8 * len(pairs), 0, texts_at)
    return head + b"".join(tables) + texts
