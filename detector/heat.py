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

from detector import compiled
from detector.chars import EDGE_CODE, HAN, char_kinds, code_points, fold_and_tell, fold_codes

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

SINGLE_BITS, PAIR_BITS, TRIPLE_BITS = 16, 19, 20  # of the background's tables
GRAM_BITS = (14, 16, 16)  # of the tables of n-grams of one, two and three characters
GRAM_SHIFTS = (SINGLE_BITS - GRAM_BITS[0], PAIR_BITS - GRAM_BITS[1], TRIPLE_BITS - GRAM_BITS[2])
LOG_STEPS = 8  # background counts are kept as eighths of a log2
N_KINDS, N_CUES = 8, 9
N_TABLES = 8  # votes a character
FRAME_FIRST, FRAME = -5, 9  # the places that all votes but the last, that of the cues, count for
GRAM_FIRST, GRAM_FRAME = -3, 8  # the places that those of n-grams count for, and one more
_GRAM_SIZES = np.array((SINGLE_BITS, PAIR_BITS, TRIPLE_BITS), np.intc), np.array(GRAM_SHIFTS, np.intc)
_MULTIPLIERS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)


class Background(NamedTuple):
    """How often single characters, pairs and triples occur in Chinese at large: uint8 tables of ``8 log2(1 + count)``."""

    singles: NDArray[np.uint8]
    pairs: NDArray[np.uint8]
    triples: NDArray[np.uint8]


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
    frames : tuple of float32 ndarray
        The tables of all votes but the last, padded so that what is gathered from them can be added up before it is
        shifted to its places: those of n-grams to the places from `GRAM_FIRST` on, (size, 8), half a line of the
        processor's cache each; the others to those from `FRAME_FIRST` on, (size, FRAME).
    """

    tables: tuple[NDArray[np.float32], ...]
    bias: float
    background: Background
    frames: tuple[NDArray[np.float32], ...]

    @classmethod
    def of(cls, tables: Sequence[NDArray[np.float32]], bias: float, background: Background) -> Heat:
        """Pad the tables.

        Raises
        ------
        ValueError
            If a table has not the shape that its vote needs: rows are looked up unchecked.
        """
        every = _no_votes()
        wanted = [(vote.size, vote.width) for vote in every]
        sizes = [1 << bits for bits in (SINGLE_BITS, PAIR_BITS, TRIPLE_BITS)]
        if [t.shape for t in tables] != wanted or [len(t) for t in background] != sizes:
            raise ValueError("the tables of the span model have not the shapes that they need")
        n = len(GRAM_BITS)
        frames = [_padded(table, 0, GRAM_FRAME) for table in tables[:n]]
        frames += [_padded(t, v.first - FRAME_FIRST, FRAME) for v, t in zip(every[n:-1], tables[n:-1], strict=True)]
        return cls(tuple(tables), bias, background, tuple(frames))

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


def gram_buckets(folded: NDArray[np.uint64]) -> list[NDArray[np.int64]]:
    """Hash the n-grams of one to three characters from each on, to the widest table; narrower ones use the top bits."""
    widest = (SINGLE_BITS, PAIR_BITS, TRIPLE_BITS)
    return [buckets(folded, size, bits) for size, bits in enumerate(widest, 1)]


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


def measure_fit(grams: Sequence[NDArray[np.int64]], background: Background) -> Fit:
    """Look n-grams, hashed by `gram_buckets`, up in the background."""
    scale = np.float32(1 / LOG_STEPS)
    single, pair, triple = (table[gram] * scale for table, gram in zip(background, grams, strict=True))
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


Grams = Sequence[NDArray[np.int64]]  # what `gram_buckets` makes of them


def measure(codes: NDArray[np.uint32], cues: NDArray[np.uint8], background: Background) -> tuple[Traits, Grams]:
    """Fold all characters, tell their kinds and how well they go together; and hash their n-grams."""
    folded = fold_codes(codes)
    grams = gram_buckets(folded)
    return Traits(codes, folded, char_kinds(folded), cues, measure_fit(grams, background)), grams


def votes(traits: Traits, grams: Grams) -> list[Vote]:
    """Say what stands at each character."""
    cues, fit = traits.cues, traits.fit
    kinds = traits.kinds.astype(np.int64)
    han = kinds == HAN
    han2 = han & (_ahead(kinds, 1) == HAN)
    han3 = han2 & (_ahead(kinds, 2) == HAN)
    joint = (_level(fit.forward, -14, -1, 8) * 8 + _level(fit.backward, -14, -1, 8)) * 4 + _level(fit.rarer, 0, 14, 4)
    triple = np.where(han3, _level(fit.triple, -6, 0, 6), 6)
    pair = np.where(han2, _level(fit.pair, 0, 10, 8), 8)
    narrow = [gram >> shift for gram, shift in zip(grams, GRAM_SHIFTS, strict=True)]
    return [
        *(
            Vote(gram, 1 << bits, GRAM_FIRST, width)
            for gram, bits, width in zip(narrow, GRAM_BITS, (7, 6, 5), strict=True)
        ),
        Vote((kinds * N_KINDS + _ahead(kinds, 1)) * N_KINDS + _ahead(kinds, 2), N_KINDS**3, -5, 9),
        Vote(np.where(han2, joint, 256), 257, -4, 8),
        Vote(triple * 7 + _ahead(triple, 1), 49, -5, 9),
        Vote(pair * 9 + _ahead(pair, 1), 81, -5, 9),
        Vote(cues.astype(np.int64), N_CUES, -8, 17),
    ]


def measure_and_score(
    codes: NDArray[np.uint32], cues: NDArray[np.uint8], heat: Heat
) -> tuple[Traits, NDArray[np.float32]]:
    """Do what `measure` and `score` do, in one compiled pass where there is one."""
    if compiled.loops is None:
        traits, grams = measure(codes, cues, heat.background)
        return traits, score(traits, grams, heat)
    folded, kinds = fold_and_tell(codes)
    fit, total = np.empty((len(Fit._fields), len(codes)), np.float32), np.empty(len(codes), np.float32)
    compiled.loops.weigh(
        folded, kinds, cues, HAN, *_GRAM_SIZES, heat.background, heat.frames, heat.tables[-1], heat.at_rest, fit, total
    )
    return Traits(codes, folded, kinds, cues, Fit(*fit)), total


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


def from_coefficients(coefficients: NDArray[np.floating], bias: float, background: Background) -> Heat:
    """Cut the coefficients of a linear model fitted on `vote_matrix` into tables."""
    tables, start = [], 0
    for vote in _no_votes():
        cells = coefficients[start : start + vote.size * vote.width]
        tables.append(cells.reshape(vote.size, vote.width).astype(np.float16).astype(np.float32))
        start += vote.size * vote.width
    return Heat.of(tables, bias, background)


def _no_votes() -> list[Vote]:
    """Return the votes of no text, for their sizes and places."""
    nothing = np.zeros(1, np.uint8)
    background = Background(*(np.zeros(1 << bits, np.uint8) for bits in (SINGLE_BITS, PAIR_BITS, TRIPLE_BITS)))
    return votes(*measure(nothing[:0].astype(np.uint32), nothing[:0], background))
