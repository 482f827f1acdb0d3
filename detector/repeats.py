"""Stable 64-bit hashes of blocks, by which repetition is counted in a page and over a site.

The hash of a block is ``mix(sum(h(c_i) * P[i]))`` over its code points, in wrapping 64-bit arithmetic, with random odd
``P``: multilinear hashing (Lemire and Kaser, "Strongly universal string hashing is fast", 2014). It is one pass of numpy
over the batch, the same on every machine, and says nothing of Python's salted `hash`.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from detector.blocks import Blocks
from detector.chars import code_points

_MAX_POSITION = 1 << 14  # multipliers start over after this many characters
_MULTIPLIER_SEED = 20140401


@lru_cache(maxsize=1)
def _multipliers() -> NDArray[np.uint64]:
    random = np.random.Generator(np.random.PCG64(_MULTIPLIER_SEED))
    return random.integers(0, 2**63, _MAX_POSITION, dtype=np.uint64) * np.uint64(2) + np.uint64(1)


def block_hashes(blocks: Blocks) -> NDArray[np.uint64]:
    """Hash every block's text, uint64 (n,)."""
    return segment_hashes(code_points(blocks.text), blocks.text_offsets)


def segment_hashes(codes: NDArray[np.uint32], offsets: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Hash the runs ``codes[offsets[i]:offsets[i + 1]]``, none of them empty; uint64 (n,)."""
    if len(offsets) < 2:
        return np.zeros(0, np.uint64)
    position = np.arange(len(codes)) - np.repeat(offsets[:-1], np.diff(offsets))
    terms = (codes.astype(np.uint64) + np.uint64(1)) * _multipliers()[position % _MAX_POSITION]
    return _mix(np.add.reduceat(terms, offsets[:-1]))


def _mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Finalizer of splitmix64: spreads each input bit over the word."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def repeats_in_page(hashes: NDArray[np.uint64], page_index: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count how often each block's text stands in its own page, int64 (n,), at least 1."""
    salted = hashes ^ _mix(page_index.astype(np.uint64) + np.uint64(1))
    _, inverse, counts = np.unique(salted, return_inverse=True, return_counts=True)
    times: NDArray[np.int64] = counts[inverse]
    return times
