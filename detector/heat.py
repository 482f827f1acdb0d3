"""A linear model over hashed character n-grams that gives every character a weight: how likely it was injected.

Each n-gram, of one to three characters, votes for the characters in and around it, with a weight of its own for each place
relative to its beginning; so the vote of a place is a row of a table, and a text is scored by one gather per n-gram and a
few shifted additions. Beside the n-grams themselves vote the kinds of characters around (Han, Latin, digit, …) and how
common each pair of characters is in Chinese at large: a made-up name is made of pairs that hardly ever meet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detector.arrays import Ints
from detector.chars import char_kinds, fold_codes

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

N_BUCKETS = 1 << 16
REACH = {1: (-3, 3), 2: (-3, 2), 3: (-3, 1)}  # where an n-gram may begin, relative to the character it votes for
KIND_REACH = (-4, 2)  # the same for the kinds of three characters in a row
NOVELTY_REACH = (-4, 3)  # the same for how common a pair is
NOVELTY_LEVELS = 8
KINDS = 8
_MULTIPLIERS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)


class Vote(NamedTuple):
    """One group of votes: a bucket for each character, and where it counts; `width` places from `first` on."""

    bucket: NDArray[np.int64]
    size: int
    first: int
    width: int


class Heat(NamedTuple):
    """The model: a table float32 (size, width) for each vote, in order, a bias, and the commonness of pairs."""

    tables: tuple[NDArray[np.float32], ...]
    bias: float
    pairs: NDArray[np.uint8]


def votes(codes: NDArray[np.uint32], pairs: NDArray[np.uint8]) -> list[Vote]:
    """Hash what votes, for a text given as code points.

    Parameters
    ----------
    codes : uint32 ndarray of shape (n_chars,)
        With something between blocks that is no character of any (see `spans`), so that no vote crosses an edge unseen.
    pairs : uint8 ndarray of shape (N_BUCKETS,)
        Commonness of pairs, see `pair_levels`.
    """
    folded = fold_codes(codes)
    kinds = char_kinds(folded).astype(np.int64)
    out = []
    for size, (first, last) in REACH.items():
        out.append(Vote(_buckets(folded, size), N_BUCKETS, first, last - first + 1))
    triple = kinds * KINDS * KINDS + _ahead(kinds, 1) * KINDS + _ahead(kinds, 2)
    out.append(Vote(triple, KINDS**3, KIND_REACH[0], KIND_REACH[1] - KIND_REACH[0] + 1))
    level = pairs[out[1].bucket].astype(np.int64)
    han = (kinds == 1) & (_ahead(kinds, 1) == 1)
    level = np.where(han, level, NOVELTY_LEVELS)
    out.append(Vote(level, NOVELTY_LEVELS + 1, NOVELTY_REACH[0], NOVELTY_REACH[1] - NOVELTY_REACH[0] + 1))
    return out


def _ahead(values: NDArray[np.int64], step: int) -> NDArray[np.int64]:
    return np.concatenate([values[step:], np.zeros(min(step, len(values)), values.dtype)])


def _buckets(folded: NDArray[np.uint64], size: int) -> NDArray[np.int64]:
    rolling = folded * np.uint64(_MULTIPLIERS[0])
    for k in range(1, size):
        ahead = np.concatenate([folded[k:], np.zeros(min(k, len(folded)), np.uint64)])
        rolling = (rolling ^ (rolling >> np.uint64(31))) * np.uint64(_MULTIPLIERS[1]) + ahead * np.uint64(_MULTIPLIERS[2])
    mixed = (rolling ^ (rolling >> np.uint64(29))) * np.uint64(_MULTIPLIERS[0])
    return (mixed >> np.uint64(64 - (N_BUCKETS - 1).bit_length())).astype(np.int64)


def score(codes: NDArray[np.uint32], heat: Heat) -> NDArray[np.float32]:
    """Weigh every character; positive means injected, in log odds. float32 (n_chars,)."""
    n = len(codes)
    total = np.full(n, heat.bias, np.float32)
    for vote, table in zip(votes(codes, heat.pairs), heat.tables, strict=True):
        rows = table[vote.bucket]
        for k in range(vote.width):
            offset = vote.first + k  # the n-gram at i + offset votes for i with column k
            if offset < 0:
                total[-offset:] += rows[: n + offset, k]
            else:
                total[: n - offset] += rows[offset:, k]
    return total


def vote_matrix(codes: NDArray[np.uint32], pairs: NDArray[np.uint8], chosen: Ints) -> csr_matrix:
    """Lay the votes for chosen characters out as a sparse 0/1 matrix, for fitting; one column per table cell."""
    from scipy.sparse import csr_matrix

    columns, start = [], 0
    for vote in votes(codes, pairs):
        for k in range(vote.width):
            source = chosen + vote.first + k
            inside = (source >= 0) & (source < len(codes))
            cell = start + vote.bucket[np.clip(source, 0, len(codes) - 1)] * vote.width + k
            columns.append(np.where(inside, cell, -1))
        start += vote.size * vote.width
    index = np.stack(columns, axis=1)
    keep = index >= 0
    bounds = np.concatenate([[0], np.cumsum(keep.sum(axis=1))])
    return csr_matrix((np.ones(keep.sum(), np.float32), index[keep], bounds), (len(chosen), start))


def table_shapes() -> list[tuple[int, int]]:
    """Shapes of the tables, in order."""
    nothing = votes(np.zeros(0, np.uint32), np.zeros(N_BUCKETS, np.uint8))
    return [(vote.size, vote.width) for vote in nothing]


def from_coefficients(coefficients: NDArray[np.float64], bias: float, pairs: NDArray[np.uint8]) -> Heat:
    """Cut a fitted linear model's coefficients into tables."""
    tables, start = [], 0
    for size, width in table_shapes():
        tables.append(coefficients[start : start + size * width].reshape(size, width).astype(np.float32))
        start += size * width
    return Heat(tuple(tables), bias, pairs)


def pair_levels(weighted: list[tuple[str, float]]) -> NDArray[np.uint8]:
    """Count pairs of characters in words and texts, each with its weight, and grade their commonness, uint8 (N_BUCKETS,)."""
    counts = np.zeros(N_BUCKETS)
    for text, weight in weighted:
        codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
        if len(codes) > 1:
            counts += np.bincount(_buckets(fold_codes(codes), 2)[:-1], minlength=N_BUCKETS) * weight
    return np.minimum(np.log2(1 + counts), NOVELTY_LEVELS - 1).astype(np.uint8)
