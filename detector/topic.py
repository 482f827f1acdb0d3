"""What is talked of: how likely the n-grams of a stretch of text stand in an advert and not in honest text.

`heat` asks whether a character fits into its place. A calm advert for a loan, a degree or an escort fits, since its words go
together well; what gives it away is what it talks of, and to tell that takes more than a few characters.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detector.background import GRAM_BITS, gram_buckets, join, whole_grams
from detector.chars import fold_codes

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

STEPS = 64  # log odds are kept in whole steps, of which sums are exact: the same for a page alone and in a batch
NEAR, AROUND = 3, 8  # characters on each side that sums are taken over
MIN_CLAUSE, MAX_CLAUSE = 3, 24  # characters; what is learned from
_CLAUSE_BREAK = re.compile(r"[。！？；，、,!?;:：|_\s（）()【】“”\"《》]+")


class Topic(NamedTuple):
    """A linear model over n-grams: int8 tables of log odds, in steps, with rows as `background.gram_buckets` numbers them."""

    singles: NDArray[np.int8]
    pairs: NDArray[np.int8]
    triples: NDArray[np.int8]

    @classmethod
    def of(cls, coefficients: NDArray[np.floating], known: NDArray[np.int64]) -> Topic:
        """Write the coefficients of a linear model fitted on `gram_matrix` into tables."""
        firsts = _first_rows()
        steps = np.zeros(firsts[-1], np.int8)
        steps[known] = np.clip(np.round(STEPS * coefficients), -127, 127)
        return cls(*(steps[a:b] for a, b in pairwise(firsts)))


class Topical(NamedTuple):
    """What the characters of joined texts talk of.

    Attributes
    ----------
    sums : int64 ndarray of shape (n_chars + 1,)
        Steps of all characters before each.
    near, around : float32 ndarray of shape (n_chars,)
        Log odds of the `NEAR`, and the `AROUND`, characters on both sides of each, added up.
    """

    sums: NDArray[np.int64]
    near: NDArray[np.float32]
    around: NDArray[np.float32]

    @classmethod
    def of(cls, steps: NDArray[np.int32]) -> Topical:
        """Add up the steps of the characters."""
        sums = np.concatenate([[0], np.cumsum(steps, dtype=np.int64)])
        return cls(sums, _sums_around(sums, NEAR), _sums_around(sums, AROUND))

    def between(self, start: NDArray[np.int64], stop: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the log odds of the characters from `start` to `stop`."""
        total: NDArray[np.float64] = (self.sums[stop] - self.sums[start]) / STEPS
        return total


def _sums_around(sums: NDArray[np.int64], reach: int) -> NDArray[np.float32]:
    padded = np.pad(sums, reach, mode="edge")
    return ((padded[2 * reach + 1 :] - padded[: -2 * reach - 1]) / STEPS).astype(np.float32)


def topic_steps(codes: NDArray[np.uint32], grams: Sequence[NDArray[np.int64]], topic: Topic) -> NDArray[np.int32]:
    """Add up what the n-grams from each character on say, int32 (n_chars,); those over an edge say nothing."""
    total = np.zeros(len(codes), np.int32)
    for table, gram, inside in zip(topic, grams, whole_grams(codes), strict=True):
        total += np.where(inside, table[gram], 0)
    return total


def clauses(text: str) -> list[str]:
    """Cut a text into clauses, long ones into pieces."""
    parts = [part for part in _CLAUSE_BREAK.split(text) if len(part) >= MIN_CLAUSE]
    return [part[i : i + MAX_CLAUSE] for part in parts for i in range(0, len(part), MAX_CLAUSE)]


def gram_matrix(texts: Sequence[str]) -> tuple[csr_matrix, NDArray[np.int64]]:
    """Count the n-grams of texts.

    Returns
    -------
    counts : float32 sparse matrix of shape (len(texts), k)
    known : int64 ndarray of shape (k,)
        Where the n-gram of each column stands in the tables, one behind another.
    """
    from scipy.sparse import csr_matrix

    codes, starts = join(texts)
    text = np.cumsum(np.bincount(starts, minlength=len(codes))) - 1
    whole, firsts = whole_grams(codes), _first_rows()
    grams = zip(gram_buckets(fold_codes(codes)), whole, firsts[:-1], strict=True)
    cells = np.concatenate([gram[inside] + first for gram, inside, first in grams])
    rows = np.concatenate([text[inside] for inside in whole])
    known, columns = np.unique(cells, return_inverse=True)
    counts = csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), (len(texts), len(known)))
    counts.sum_duplicates()
    return counts, known


def _first_rows() -> list[int]:
    return list(accumulate((1 << bits for bits in GRAM_BITS), initial=0))
