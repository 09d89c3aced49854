"""Keyed draws: random words that depend on what they are for, never on when they are asked for.

A word is a hash of (seed, stream, id, draw, slot): the first three make a 64-bit key by BLAKE2b, the key and the draw
make a base, the base and the slot the word, each by the finaliser of SplitMix64 (Steele, Lea and Flood, "Fast
splittable pseudorandom number generators", OOPSLA 2014, with the constants of Stafford's "Better bit mixing", variant
13). Everything is whole numbers modulo 2**64: the bits are the same on every machine, for any order, chunk or number
of workers.
"""

from __future__ import annotations

from hashlib import blake2b
from math import prod
from threading import local
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import DTypeLike, NDArray

    Words = NDArray[np.uint64]

DRAW_STEP: Final = np.uint64(0x9E3779B97F4A7C15)
SLOT_STEP: Final = np.uint64(0xD1B54A32D192ED03)
"""Odd constants that spread draws and slots over all words before they are mixed."""

FEW: Final = 64
"""Below as many columns rows are repeated."""

_FIRST: Final = np.uint64(0xBF58476D1CE4E5B9)
_SECOND: Final = np.uint64(0x94D049BB133111EB)


def stream_keys(seed: int, stream: str, ids: Iterable[str]) -> Words:
    """Return the key of each id in a stream; `stream` has no NUL."""
    begun = blake2b(f"{seed}\0{stream}\0".encode(), digest_size=8)

    def key(name: str) -> bytes:
        hashed = begun.copy()
        hashed.update(name.encode("utf-8", "surrogatepass"))
        return hashed.digest()

    return np.frombuffer(b"".join(map(key, ids)), dtype="<u8").astype(np.uint64)


def mix(words: Words, scratch: Words) -> Words:
    """Mix words in place and return them; `scratch` has their shape."""
    for shift, factor in ((30, _FIRST), (27, _SECOND)):
        np.right_shift(words, np.uint64(shift), out=scratch)
        np.bitwise_xor(words, scratch, out=words)
        np.multiply(words, factor, out=words)
    np.right_shift(words, np.uint64(31), out=scratch)
    return np.bitwise_xor(words, scratch, out=words)


def draw_words(low: int, high: int) -> Words:
    """Return the word of each draw from `low` to before `high`."""
    draws = np.arange(low + 1, high + 1, dtype=np.uint64) * DRAW_STEP
    return mix(draws, np.empty_like(draws))


def bases(keys: Words, draws: Words, out: Words, scratch: Words) -> Words:
    """Write the base of each key (rows) and draw (columns) to `out`."""
    if len(draws) < FEW:
        np.bitwise_xor(of_rows(keys, len(draws)), np.tile(draws, (len(keys), 1)), out=out)
    else:
        np.bitwise_xor(keys[:, None], draws[None, :], out=out)
    return mix(out, scratch)


def of_rows(values: NDArray[Any], columns: int) -> NDArray[Any]:
    """Return values of rows as an array that can be used with rows x columns; broadcasting over few columns is slow."""
    return values[:, None] if columns >= FEW else np.repeat(values, columns).reshape(-1, columns)


def slot_words(based: Words, slot: int, out: Words, scratch: Words) -> Words:
    """Write the word of each base at a slot, 0 or more, to `out`."""
    step = np.uint64((slot + 1) * int(SLOT_STEP) % 2**64)
    np.add(based, step, out=out)
    return mix(out, scratch)


class Buffers(local):
    """Arrays that a thread uses again and again: fresh memory would cost more than what is done with it."""

    def __init__(self) -> None:
        """Start a thread without any."""
        super().__init__()
        self._held: dict[str, NDArray[Any]] = {}

    def get(self, name: str, shape: tuple[int, ...], kind: DTypeLike) -> NDArray[Any]:
        """Return an array of that shape and kind with whatever is in it, this thread's alone until asked for again."""
        size = prod(shape)
        held = self._held.get(name)
        if held is None or len(held) < size or held.dtype != kind:
            held = self._held[name] = np.empty(size, dtype=kind)
        return held[:size].reshape(shape)


BUFFERS: Final = Buffers()
