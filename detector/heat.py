"""A linear model that gives every character a weight: how likely it is that somebody injected it.

Characters are voted for by what stands around them: hashed n-grams of one to three characters, the kinds of characters
(Han, Latin, digit, …), the cues of the lexicon, and how well each pair and triple of characters goes together in Chinese
at large (a made-up name is made of pairs that hardly ever meet). A vote has a weight of its own for each place relative to
where it stands, so it is a row of a table: a text is scored by one gather a vote and a few shifted additions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from detector.chars import EDGE_CODE, HAN, char_kinds, code_points, fold_codes

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

SINGLE_BITS, PAIR_BITS, TRIPLE_BITS = 16, 19, 20  # of the background's tables
GRAM_BITS = (14, 16, 16)  # of the tables of n-grams of one, two and three characters
LOG_STEPS = 8  # background counts are kept as eighths of a log2
N_KINDS, N_CUES = 8, 9
N_TABLES = 8  # votes a character
_MULTIPLIERS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)


class Background(NamedTuple):
    """How often single characters, pairs and triples occur in Chinese at large: uint8 tables of ``8 log2(1 + count)``."""

    singles: NDArray[np.uint8]
    pairs: NDArray[np.uint8]
    triples: NDArray[np.uint8]


class Heat(NamedTuple):
    """The model: one table float32 (size, width) for each vote, a bias, and the background."""

    tables: tuple[NDArray[np.float32], ...]
    bias: float
    background: Background


class Vote(NamedTuple):
    """What stands at each character, as a row number below `size`; it counts for the characters from ``-first`` back."""

    row: NDArray[np.int64]
    size: int
    first: int
    width: int


def join(texts: Sequence[str], lead: int = 1) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Put texts one after another with an edge before each and after the last; `lead` edges before the first.

    Returns
    -------
    codes : uint32 ndarray
    starts : int64 ndarray of shape (len(texts),)
        Where each text begins.
    """
    edge = chr(EDGE_CODE)
    codes = code_points(edge * lead + edge.join(texts) + edge)
    sizes = np.fromiter(map(len, texts), np.int64, len(texts))
    return codes, np.cumsum(np.concatenate([[lead], sizes + 1]))[:-1]


def buckets(folded: NDArray[np.uint64], size: int, bits: int) -> NDArray[np.int64]:
    """Hash the `size` characters from each one on, int64 (n_chars,), below ``2 ** bits``."""
    rolling = folded * np.uint64(_MULTIPLIERS[0])
    for k in range(1, size):
        mixed = (rolling ^ (rolling >> np.uint64(31))) * np.uint64(_MULTIPLIERS[1])
        rolling = mixed + _ahead(folded, k) * np.uint64(_MULTIPLIERS[2])
    mixed = (rolling ^ (rolling >> np.uint64(29))) * np.uint64(_MULTIPLIERS[0])
    return (mixed >> np.uint64(64 - bits)).astype(np.int64)


Number = TypeVar("Number", bound=np.generic)


def _ahead(values: NDArray[Number], step: int) -> NDArray[Number]:
    """What stands `step` characters further on, zeros past the end."""
    return np.concatenate([values[step:], np.zeros(min(step, len(values)), values.dtype)])


def count_background(texts: Sequence[str], words: Sequence[tuple[str, float]]) -> Background:
    """Count characters, pairs and triples in running texts and in the words of a dictionary with their frequencies."""
    counts = [np.zeros(1 << bits) for bits in (SINGLE_BITS, PAIR_BITS, TRIPLE_BITS)]
    _add_counts(counts, texts, 1.0)
    for low, high, weight in ((1, 20, 0.3), (20, 200, 1.0), (200, 2000, 4.0), (2000, np.inf, 16.0)):
        _add_counts(counts, [word for word, times in words if low <= times < high and len(word) > 1], weight)
    return Background(*(np.minimum(np.round(LOG_STEPS * np.log2(1 + c)), 255).astype(np.uint8) for c in counts))


def _add_counts(counts: list[NDArray[np.float64]], texts: Sequence[str], weight: float) -> None:
    codes, _ = join(texts)
    folded, inside = fold_codes(codes), codes != EDGE_CODE
    for size, (table, bits) in enumerate(zip(counts, (SINGLE_BITS, PAIR_BITS, TRIPLE_BITS), strict=True), 1):
        if size > 1:
            inside = inside & (_ahead(codes, size - 1) != EDGE_CODE)
        table += weight * np.bincount(buckets(folded, size, bits)[inside], minlength=1 << bits)


class Fit(NamedTuple):
    """How well neighbours go together: log2 of conditional probabilities, float32 (n_chars,) each."""

    forward: NDArray[np.float32]  # of the next character given this one
    backward: NDArray[np.float32]  # of this one given the next
    triple: NDArray[np.float32]  # of three in a row given the rarer pair in them
    rarer: NDArray[np.float32]  # count of the rarer of this and the next
    pair: NDArray[np.float32]  # count of the pair


def measure_fit(folded: NDArray[np.uint64], background: Background) -> Fit:
    """Look pairs and triples up in the background."""
    scale = np.float32(1 / LOG_STEPS)
    single = background.singles[buckets(folded, 1, SINGLE_BITS)] * scale
    pair = background.pairs[buckets(folded, 2, PAIR_BITS)] * scale
    triple = background.triples[buckets(folded, 3, TRIPLE_BITS)] * scale
    following = _ahead(single, 1)
    rarer_pair = np.minimum(pair, _ahead(pair, 1))
    # Counts are logs of 1 + count; what was never seen is set a little below one count.
    unseen = np.float32(-2)
    seen = np.where(pair > 0, pair, unseen)
    return Fit(
        seen - np.maximum(single, 2), seen - np.maximum(following, 2), np.where(triple > 0, triple, unseen) - rarer_pair,
        np.minimum(single, following), pair,
    )  # fmt: skip


def _level(values: NDArray[np.float32], low: float, high: float, n: int) -> NDArray[np.int64]:
    graded: NDArray[np.float32] = np.clip((values - low) * (n / (high - low)), 0, n - 1)
    return graded.astype(np.int64)


class Traits(NamedTuple):
    """What is known of every character of joined texts; arrays of shape (n_chars,)."""

    codes: NDArray[np.uint32]
    folded: NDArray[np.uint64]
    kinds: NDArray[np.uint8]
    cues: NDArray[np.uint8]  # the group of the cue that covers it, 0 for none
    fit: Fit


def measure(codes: NDArray[np.uint32], cues: NDArray[np.uint8], background: Background) -> Traits:
    """Fold all characters, tell their kinds and how well they go together."""
    folded = fold_codes(codes)
    return Traits(codes, folded, char_kinds(folded), cues, measure_fit(folded, background))


def votes(traits: Traits) -> list[Vote]:
    """Say what stands at each character."""
    _, folded, small_kinds, cues, fit = traits
    kinds = small_kinds.astype(np.int64)
    han = kinds == HAN
    han2 = han & (_ahead(kinds, 1) == HAN)
    han3 = han2 & (_ahead(kinds, 2) == HAN)
    joint = (_level(fit.forward, -14, -1, 8) * 8 + _level(fit.backward, -14, -1, 8)) * 4 + _level(fit.rarer, 0, 14, 4)
    triple = np.where(han3, _level(fit.triple, -6, 0, 6), 6)
    pair = np.where(han2, _level(fit.pair, 0, 10, 8), 8)
    return [
        Vote(buckets(folded, 1, GRAM_BITS[0]), 1 << GRAM_BITS[0], -3, 7),
        Vote(buckets(folded, 2, GRAM_BITS[1]), 1 << GRAM_BITS[1], -3, 6),
        Vote(buckets(folded, 3, GRAM_BITS[2]), 1 << GRAM_BITS[2], -3, 5),
        Vote((kinds * N_KINDS + _ahead(kinds, 1)) * N_KINDS + _ahead(kinds, 2), N_KINDS**3, -5, 9),
        Vote(np.where(han2, joint, 256), 257, -4, 8),
        Vote(triple * 7 + _ahead(triple, 1), 49, -5, 9),
        Vote(pair * 9 + _ahead(pair, 1), 81, -5, 9),
        Vote(cues.astype(np.int64), N_CUES, -8, 17),
    ]


def score(traits: Traits, heat: Heat) -> NDArray[np.float32]:
    """Weigh every character, in log odds of having been injected, float32 (n_chars,)."""
    n = len(traits.codes)
    total = np.full(n, heat.bias, np.float32)
    for vote, table in zip(votes(traits), heat.tables, strict=True):
        rows = table[vote.row]
        for k in range(vote.width):
            offset = vote.first + k  # what stands at i + offset votes for i by column k
            if abs(offset) >= n:
                continue
            if offset < 0:
                total[-offset:] += rows[: n + offset, k]
            else:
                total[: n - offset] += rows[offset:, k]
    return total


def vote_matrix(traits: Traits, chosen: NDArray[np.int64]) -> csr_matrix:
    """Lay the votes for some characters out as a sparse 0/1 matrix with one column for each cell of the tables."""
    from scipy.sparse import csr_matrix

    columns, start = [], 0
    for vote in votes(traits):
        for k in range(vote.width):
            at = np.clip(chosen + vote.first + k, 0, len(traits.codes) - 1)
            columns.append((start + vote.row[at] * vote.width + k).astype(np.int32))
        start += vote.size * vote.width
    index = np.stack(columns, axis=1)
    bounds = np.arange(0, index.size + 1, index.shape[1])
    return csr_matrix((np.ones(index.size, np.float32), index.ravel(), bounds), (len(chosen), start))


def from_coefficients(coefficients: NDArray[np.floating], bias: float, background: Background) -> Heat:
    """Cut the coefficients of a linear model fitted on `vote_matrix` into tables."""
    tables, start = [], 0
    for vote in votes(measure(np.zeros(0, np.uint32), np.zeros(0, np.uint8), background)):
        cells = coefficients[start : start + vote.size * vote.width]
        tables.append(cells.reshape(vote.size, vote.width).astype(np.float16).astype(np.float32))
        start += vote.size * vote.width
    return Heat(tuple(tables), bias, background)
