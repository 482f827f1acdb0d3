"""A linear model that gives every character a weight: how likely it is that somebody injected it.

Characters are voted for by what stands around them: hashed n-grams of one to three characters, the kinds of characters
(Han, Latin, digit, …), the cues of the lexicon, and how well each pair and triple of characters goes together in Chinese
at large (a made-up name is made of pairs that hardly ever meet). A vote has a weight of its own for each place relative to
where it stands, so it is a row of a table: a text is scored by one gather a vote and a few shifted additions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detector import compiled
from detector.background import GRAM_BITS, Background, Fit, ahead, gram_buckets, measure_fit
from detector.chars import EDGE_CODE, HAN, char_kinds, fold_and_tell, fold_codes
from detector.topic import Topic, topic_steps

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

VOTE_BITS = (14, 16, 16)  # of the tables of n-grams of one, two and three characters, by the top bits of their hashes
VOTE_SHIFTS = tuple(wide - narrow for wide, narrow in zip(GRAM_BITS, VOTE_BITS, strict=True))
N_KINDS, N_CUES = 8, 9
N_TABLES = 8  # votes a character
FRAME_FIRST, FRAME = -5, 9  # the places that all votes but the last, that of the cues, count for
GRAM_FIRST, GRAM_FRAME = -3, 8  # the places that those of n-grams count for, and one more
_GRAM_SIZES = np.array(GRAM_BITS, np.intc), np.array(VOTE_SHIFTS, np.intc)


class Vote(NamedTuple):
    """What stands at each character, as a row number below `size`; it counts for the characters from ``-first`` back."""

    row: NDArray[np.int64]
    size: int
    first: int
    width: int


class Heat(NamedTuple):
    """The model.

    Attributes
    ----------
    tables : tuple of float32 ndarray of shape (size, width)
        One for each vote.
    bias : float
    background : Background
    topic : Topic
        Another model, looked up by the same n-grams.
    frames : tuple of float32 ndarray
        The tables of all votes but the last, padded so that what is gathered from them can be added up before it is
        shifted to its places: those of n-grams to the places from `GRAM_FIRST` on, (size, 8), half a line of the
        processor's cache each; the others to those from `FRAME_FIRST` on, (size, FRAME).
    """

    tables: tuple[NDArray[np.float32], ...]
    bias: float
    background: Background
    topic: Topic
    frames: tuple[NDArray[np.float32], ...]

    @classmethod
    def of(cls, tables: Sequence[NDArray[np.float32]], bias: float, background: Background, topic: Topic) -> Heat:
        """Pad the tables.

        Raises
        ------
        ValueError
            If a table has not the shape that its vote needs: rows are looked up unchecked.
        """
        every = _no_votes()
        wanted = [(vote.size, vote.width) for vote in every]
        sizes = [1 << bits for bits in GRAM_BITS] * 2
        if [t.shape for t in tables] != wanted or [len(t) for t in (*background, *topic)] != sizes:
            raise ValueError("the tables of the span model have not the shapes that they need")
        n = len(VOTE_BITS)
        frames = [_padded(table, 0, GRAM_FRAME) for table in tables[:n]]
        frames += [_padded(t, v.first - FRAME_FIRST, FRAME) for v, t in zip(every[n:-1], tables[n:-1], strict=True)]
        return cls(tuple(tables), bias, background, topic, tuple(frames))

    @property
    def at_rest(self) -> float:
        """Log odds of a character that nothing but the absence of cues votes on."""
        return float(self.bias + self.tables[-1][0].sum())


def _padded(table: NDArray[np.float32], before: int, width: int) -> NDArray[np.float32]:
    """Pad rows with zeros to `width`, the first of them at the start of a line of the processor's cache (64 bytes)."""
    room = np.zeros(len(table) * width + 16, np.float32)
    start = -room.ctypes.data % 64 // room.itemsize
    rows = room[start : start + len(table) * width].reshape(-1, width)
    rows[:, before : before + table.shape[1]] = table
    return rows


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
    steps: NDArray[np.int32]  # of the topic


Grams = Sequence[NDArray[np.int64]]  # what `gram_buckets` makes of them


def measure(
    codes: NDArray[np.uint32], cues: NDArray[np.uint8], background: Background, topic: Topic | None = None
) -> tuple[Traits, Grams]:
    """Fold all characters, tell their kinds and how well they go together; and hash their n-grams."""
    folded = fold_codes(codes)
    grams = gram_buckets(folded)
    steps = np.zeros(len(codes), np.int32) if topic is None else topic_steps(codes, grams, topic)
    return Traits(codes, folded, char_kinds(folded), cues, measure_fit(grams, background), steps), grams


def votes(traits: Traits, grams: Grams) -> list[Vote]:
    """Say what stands at each character."""
    cues, fit = traits.cues, traits.fit
    kinds = traits.kinds.astype(np.int64)
    han = kinds == HAN
    han2 = han & (ahead(kinds, 1) == HAN)
    han3 = han2 & (ahead(kinds, 2) == HAN)
    joint = (_level(fit.forward, -14, -1, 8) * 8 + _level(fit.backward, -14, -1, 8)) * 4 + _level(fit.rarer, 0, 14, 4)
    triple = np.where(han3, _level(fit.triple, -6, 0, 6), 6)
    pair = np.where(han2, _level(fit.pair, 0, 10, 8), 8)
    narrow = [gram >> shift for gram, shift in zip(grams, VOTE_SHIFTS, strict=True)]
    return [
        *(
            Vote(gram, 1 << bits, GRAM_FIRST, width)
            for gram, bits, width in zip(narrow, VOTE_BITS, (7, 6, 5), strict=True)
        ),
        Vote((kinds * N_KINDS + ahead(kinds, 1)) * N_KINDS + ahead(kinds, 2), N_KINDS**3, -5, 9),
        Vote(np.where(han2, joint, 256), 257, -4, 8),
        Vote(triple * 7 + ahead(triple, 1), 49, -5, 9),
        Vote(pair * 9 + ahead(pair, 1), 81, -5, 9),
        Vote(cues.astype(np.int64), N_CUES, -8, 17),
    ]


def measure_and_score(
    codes: NDArray[np.uint32], cues: NDArray[np.uint8], heat: Heat
) -> tuple[Traits, NDArray[np.float32]]:
    """Do what `measure` and `score` do, in one compiled pass where there is one."""
    if compiled.loops is None:
        traits, grams = measure(codes, cues, heat.background, heat.topic)
        return traits, score(traits, grams, heat)
    folded, kinds = fold_and_tell(codes)
    fit, total = np.empty((len(Fit._fields), len(codes)), np.float32), np.empty(len(codes), np.float32)
    steps = np.empty(len(codes), np.int32)
    compiled.loops.weigh(
        folded, kinds, cues, HAN, EDGE_CODE, *_GRAM_SIZES, heat.background, heat.topic, heat.frames, heat.tables[-1], heat.at_rest,
        fit, total, steps,
    )  # fmt: skip
    return Traits(codes, folded, kinds, cues, Fit(*fit), steps), total


def score(traits: Traits, grams: Grams, heat: Heat) -> NDArray[np.float32]:
    """Weigh every character, in log odds of having been injected, float32 (n_chars,); beyond the ends no cue stands."""
    n, (*framed, cue) = len(traits.codes), votes(traits, grams)
    frame = np.zeros((n, FRAME + 1), np.float32)
    for vote, table in zip(framed, heat.frames, strict=True):
        first = GRAM_FIRST - FRAME_FIRST if table.shape[1] == GRAM_FRAME else 0
        frame[:, first : first + table.shape[1]] += table.take(vote.row, axis=0)
    cues = heat.tables[-1]
    total = np.full(n, heat.at_rest, np.float32)
    for k in range(FRAME):
        _add_shifted(total, frame[:, k], -(FRAME_FIRST + k))
    # Few characters are covered by a cue: only what they say otherwise than no cue is added.
    covered = np.flatnonzero(cue.row)
    said = cues[cue.row[covered]] - cues[0]
    for k in range(cue.width):
        at = covered - (cue.first + k)
        within = (at >= 0) & (at < n)
        total[at[within]] += said[within, k]
    return total


def _add_shifted(total: NDArray[np.float32], values: NDArray[np.float32], shift: int) -> None:
    """Add ``values[i]`` to ``total[i + shift]``, in place; what falls beyond the ends is dropped."""
    n = len(total)
    if abs(shift) < n:
        total[max(0, shift) : n + min(0, shift)] += values[max(0, -shift) : n - max(0, shift)]


def vote_matrix(traits: Traits, grams: Grams, chosen: NDArray[np.int64]) -> csr_matrix:
    """Lay the votes for some characters out as a sparse 0/1 matrix with one column for each cell of the tables."""
    from scipy.sparse import csr_matrix

    columns, start = [], 0
    for vote in votes(traits, grams):
        for k in range(vote.width):
            at = np.clip(chosen + vote.first + k, 0, len(traits.codes) - 1)
            columns.append((start + vote.row[at] * vote.width + k).astype(np.int32))
        start += vote.size * vote.width
    index = np.stack(columns, axis=1)
    bounds = np.arange(0, index.size + 1, index.shape[1])
    return csr_matrix((np.ones(index.size, np.float32), index.ravel(), bounds), (len(chosen), start))


def from_coefficients(coefficients: NDArray[np.floating], bias: float, background: Background, topic: Topic) -> Heat:
    """Cut the coefficients of a linear model fitted on `vote_matrix` into tables."""
    tables, start = [], 0
    for vote in _no_votes():
        cells = coefficients[start : start + vote.size * vote.width]
        tables.append(cells.reshape(vote.size, vote.width).astype(np.float16).astype(np.float32))
        start += vote.size * vote.width
    return Heat.of(tables, bias, background, topic)


def _no_votes() -> list[Vote]:
    """Return the votes of no text, for their sizes and places."""
    nothing = np.zeros(1, np.uint8)
    background = Background(*(np.zeros(1 << bits, np.uint8) for bits in GRAM_BITS))
    return votes(*measure(nothing[:0].astype(np.uint32), nothing[:0], background))
