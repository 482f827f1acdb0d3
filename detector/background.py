"""How often characters, pairs and triples occur in Chinese at large, and how well neighbours go together by that.

N-grams are hashed where they begin; other tables that are looked up by n-grams use the same hashes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from detector.chars import EDGE_CODE, code_points, fold_codes

# Of the tables of n-grams of one, two and three characters.
GRAM_BITS = SINGLE_BITS, PAIR_BITS, TRIPLE_BITS = 16, 19, 20
LOG_STEPS = 8  # counts are kept as eighths of a log2
_MULTIPLIERS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)

Number = TypeVar("Number", bound=np.generic)


class Background(NamedTuple):
    """How often single characters, pairs and triples occur in Chinese at large: uint8 tables of ``8 log2(1 + count)``."""

    singles: NDArray[np.uint8]
    pairs: NDArray[np.uint8]
    triples: NDArray[np.uint8]


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
        rolling = mixed + ahead(folded, k) * np.uint64(_MULTIPLIERS[2])
    mixed = (rolling ^ (rolling >> np.uint64(29))) * np.uint64(_MULTIPLIERS[0])
    return (mixed >> np.uint64(64 - bits)).astype(np.int64)


def gram_buckets(folded: NDArray[np.uint64]) -> list[NDArray[np.int64]]:
    """Hash the n-grams of one to three characters from each on, to the widest table; narrower ones use the top bits."""
    return [buckets(folded, size, bits) for size, bits in enumerate(GRAM_BITS, 1)]


def whole_grams(codes: NDArray[np.uint32]) -> list[NDArray[np.bool_]]:
    """Mark where n-grams of one to three characters begin that lie within a text, bool (n_chars,) each."""
    whole = [codes != EDGE_CODE]
    for size in range(1, len(GRAM_BITS)):
        whole.append(whole[-1] & (ahead(codes, size) != EDGE_CODE))
    return whole


def ahead(values: NDArray[Number], step: int) -> NDArray[Number]:
    """What stands `step` characters further on, zeros past the end."""
    return np.concatenate([values[step:], np.zeros(min(step, len(values)), values.dtype)])


def count_background(texts: Sequence[str], words: Sequence[tuple[str, float]]) -> Background:
    """Count characters, pairs and triples in running texts and in the words of a dictionary with their frequencies."""
    counts = [np.zeros(1 << bits) for bits in GRAM_BITS]
    _add_counts(counts, texts, 1.0)
    for low, high, weight in ((1, 20, 0.3), (20, 200, 1.0), (200, 2000, 4.0), (2000, np.inf, 16.0)):
        _add_counts(counts, [word for word, times in words if low <= times < high and len(word) > 1], weight)
    return Background(*(np.minimum(np.round(LOG_STEPS * np.log2(1 + c)), 255).astype(np.uint8) for c in counts))


def _add_counts(counts: list[NDArray[np.float64]], texts: Sequence[str], weight: float) -> None:
    codes, _ = join(texts)
    for table, gram, inside in zip(counts, gram_buckets(fold_codes(codes)), whole_grams(codes), strict=True):
        table += weight * np.bincount(gram[inside], minlength=len(table))


class Fit(NamedTuple):
    """How well neighbours go together: log2 of conditional probabilities, float32 (n_chars,) each."""

    forward: NDArray[np.float32]  # of the next character given this one
    backward: NDArray[np.float32]  # of this one given the next
    triple: NDArray[np.float32]  # of three in a row given the rarer pair in them
    rarer: NDArray[np.float32]  # count of the rarer of this and the next
    pair: NDArray[np.float32]  # count of the pair


def measure_fit(grams: Sequence[NDArray[np.int64]], background: Background) -> Fit:
    """Look n-grams, hashed by `gram_buckets`, up in the background."""
    scale = np.float32(1 / LOG_STEPS)
    single, pair, triple = (table[gram] * scale for table, gram in zip(background, grams, strict=True))
    following = ahead(single, 1)
    rarer_pair = np.minimum(pair, ahead(pair, 1))
    # Counts are logs of 1 + count; what was never seen is set a little below one count.
    unseen = np.float32(-2)
    seen = np.where(pair > 0, pair, unseen)
    return Fit(
        seen - np.maximum(single, 2), seen - np.maximum(following, 2), np.where(triple > 0, triple, unseen) - rarer_pair,
        np.minimum(single, following), pair,
    )  # fmt: skip
