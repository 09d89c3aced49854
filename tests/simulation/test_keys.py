"""Keyed draws: the words, against their definition in plain integers, and that nothing but the key matters."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_rules.simulation.keys import bases, draw_words, of_rows, slot_words, stream_keys

MASK = 2**64 - 1


def mixed(word: int) -> int:
    """Mix a word as SplitMix64 does, in integers of any size."""
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    word = (word ^ (word >> 27)) * 0x94D049BB133111EB & MASK
    return word ^ (word >> 31)


def defined(seed: int, stream: str, name: str, draw: int, slot: int) -> int:
    """Return a word as the module says it is made."""
    key = int.from_bytes(blake2b(f"{seed}\0{stream}\0{name}".encode(), digest_size=8).digest(), "little")
    base = mixed(key ^ mixed((draw + 1) * 0x9E3779B97F4A7C15 & MASK))
    return mixed((base + (slot + 1) * 0xD1B54A32D192ED03) & MASK)


def words(seed: int, stream: str, names: list[str], draws: tuple[int, int], slot: int) -> np.ndarray:
    """Return the words of some ids and draws."""
    shape = (len(names), draws[1] - draws[0])
    out, scratch = np.empty(shape, dtype=np.uint64), np.empty(shape, dtype=np.uint64)
    based = bases(stream_keys(seed, stream, names), draw_words(*draws), out, scratch)
    return slot_words(based, slot, out, scratch).copy()


@given(
    st.integers(0, 2**70), st.text("ab ", max_size=3), st.text(max_size=4), st.integers(0, 2**40), st.integers(0, 400)
)
def test_a_word_is_what_it_is_defined_to_be(seed: int, stream: str, name: str, draw: int, slot: int) -> None:
    assert int(words(seed, stream, [name], (draw, draw + 1), slot)[0, 0]) == defined(seed, stream, name, draw, slot)


@pytest.mark.parametrize("size", [1, 7, 63, 64, 200])
def test_neither_chunks_nor_other_ids_change_a_word(size: int) -> None:
    names = [f"unit {number}" for number in range(5)]
    whole = words(3, "arrivals", names, (0, 200), 2)
    parts = [words(3, "arrivals", names[::-1], (low, min(200, low + size)), 2)[::-1] for low in range(0, 200, size)]
    assert (np.concatenate(parts, axis=1) == whole).all()
    assert (words(3, "arrivals", names[3:4], (0, 200), 2)[0] == whole[3]).all()


def test_every_part_of_the_key_matters() -> None:
    one = words(1, "a", ["x"], (0, 64), 0)
    others = [
        words(2, "a", ["x"], (0, 64), 0),
        words(1, "b", ["x"], (0, 64), 0),
        words(1, "a", ["y"], (0, 64), 0),
        words(1, "a", ["x"], (64, 128), 0),
        words(1, "a", ["x"], (0, 64), 1),
    ]
    assert all(not np.intersect1d(one, other).size for other in others)


def test_bits_are_even_and_do_not_follow_their_neighbours() -> None:
    names = [f"{number}" for number in range(40)]
    found = words(11, "bits", names, (0, 2_000), 0)
    bits = np.unpackbits(found.reshape(-1, 1).view(np.uint8), axis=1)
    cells = found.size
    assert np.abs(bits.mean(axis=0) - 0.5).max() < 6 * 0.5 / cells**0.5
    value = (found >> np.uint64(11)).astype(float) / 2**53
    for first, second in ((value[1:], value[:-1]), (value[:, 1:], value[:, :-1])):
        assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 6 / cells**0.5


@pytest.mark.parametrize("columns", [1, 3, 63, 64, 65])
def test_values_of_rows_are_those_of_all_their_columns(columns: int) -> None:
    values = np.arange(4)
    assert (np.zeros((4, columns), dtype=int) + of_rows(values, columns) == values[:, None]).all()
