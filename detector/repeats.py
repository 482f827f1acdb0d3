"""Stable 64-bit hashes of blocks, by which repetition is counted in a page, and the table that counts it over a site.

The hash of a block is ``mix(sum(h(c_i) * P[i]))`` over its code points, in wrapping 64-bit arithmetic, with random odd
``P``: multilinear hashing (Lemire and Kaser, "Strongly universal string hashing is fast", 2014). It is one pass of numpy
over the batch, the same on every machine, and says nothing of Python's salted `hash`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detector import compiled
from detector.blocks import Blocks, Texts
from detector.errors import InputError

_MAX_POSITION = 1 << 14  # multipliers start over after this many characters
_MULTIPLIER_SEED = 20140401


@lru_cache(maxsize=1)
def _multipliers() -> NDArray[np.uint64]:
    random = np.random.Generator(np.random.PCG64(_MULTIPLIER_SEED))
    return random.integers(0, 2**63, _MAX_POSITION, dtype=np.uint64) * np.uint64(2) + np.uint64(1)


def block_hashes(blocks: Texts) -> NDArray[np.uint64]:
    """Hash every block's text, uint64 (n,)."""
    return segment_hashes(blocks.codes, blocks.text_offsets)


def segment_hashes(codes: NDArray[np.uint32], offsets: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Hash the runs ``codes[offsets[i]:offsets[i + 1]]``, none of them empty; uint64 (n,)."""
    if len(offsets) < 2:
        return np.zeros(0, np.uint64)
    if compiled.text is not None:
        sums = np.empty(len(offsets) - 1, np.uint64)
        compiled.text.hash_segments(codes, offsets, _multipliers(), sums)
        return _mix(sums)
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


class SiteCounts(NamedTuple):
    """On how many other pages of its site each block stands, and how many others there are; int64 (n,) both.

    Where `pages` is 0 the site is unknown, or this is the only page of it.
    """

    holding: NDArray[np.int64]
    pages: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class RepeatTable:
    """On how many pages of each site a block stands.

    Attributes
    ----------
    sites : list of str, length s
    n_pages : int64 ndarray of shape (s,)
        Pages counted of each site.
    offsets : int64 ndarray of shape (s + 1,)
        Site ``i`` owns ``hashes[offsets[i]:offsets[i + 1]]``.
    hashes : uint64 ndarray of shape (m,)
        Hashes of blocks, ascending within a site; only those on two pages or more.
    holding : int64 ndarray of shape (m,)
        Pages of the site that hold the block.
    """

    sites: list[str]
    n_pages: NDArray[np.int64]
    offsets: NDArray[np.int64]
    hashes: NDArray[np.uint64]
    holding: NDArray[np.int64]
    _place: dict[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_place", {site: i for i, site in enumerate(self.sites)})

    def counts(
        self, hashes: NDArray[np.uint64], page_offsets: NDArray[np.int64], sites: Sequence[str | None]
    ) -> SiteCounts:
        """Look up the blocks of a batch of pages, each page itself left out of the count.

        The pages are taken to be among those counted; of one that was not, the counts are too low by one.

        Parameters
        ----------
        hashes : uint64 ndarray of shape (n,)
            As `block_hashes` makes them.
        page_offsets : int64 ndarray of shape (p + 1,)
        sites : sequence of str or None, length p
        """
        holding, pages = np.zeros(len(hashes), np.int64), np.zeros(len(hashes), np.int64)
        for (first, last), site in zip(pairwise(page_offsets.tolist()), sites, strict=True):
            if (place := self._place.get(site or "")) is not None and last > first:
                holding[first:last] = self._holding(place, hashes[first:last])
                pages[first:last] = self.n_pages[place] - 1
        return SiteCounts(np.maximum(holding - 1, 0), pages)

    def _holding(self, place: int, hashes: NDArray[np.uint64]) -> NDArray[np.int64]:
        known = slice(*self.offsets[place : place + 2].tolist())
        if known.start == known.stop:
            return np.zeros(len(hashes), np.int64)
        at = np.minimum(np.searchsorted(self.hashes[known], hashes), known.stop - known.start - 1)
        return np.where(self.hashes[known][at] == hashes, self.holding[known][at], 0)


def count_repeats(batches: Iterable[tuple[Blocks, Sequence[str | None]]]) -> RepeatTable:
    """Count on how many pages of each site a block stands.

    Parameters
    ----------
    batches : iterable of (Blocks, sites)
        Pages with the registered domain of each, or None; pages without a site are not counted.
    """
    found: dict[str, list[NDArray[np.uint64]]] = defaultdict(list)
    for blocks, sites in batches:
        hashes = block_hashes(blocks)
        for (first, last), site in zip(pairwise(blocks.page_offsets.tolist()), sites, strict=True):
            if site:
                found[site].append(np.unique(hashes[first:last]))
    names = sorted(found)
    repeated = [_repeated(found[site]) for site in names]
    return RepeatTable(
        names, np.array([len(found[site]) for site in names], np.int64),
        np.cumsum([0, *(len(hashes) for hashes, _ in repeated)]).astype(np.int64),
        np.concatenate([np.zeros(0, np.uint64), *(hashes for hashes, _ in repeated)]),
        np.concatenate([np.zeros(0, np.int64), *(holding for _, holding in repeated)]),
    )  # fmt: skip


def _repeated(pages: Sequence[NDArray[np.uint64]]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    hashes, holding = np.unique(np.concatenate(pages), return_counts=True)
    return hashes[holding > 1], holding[holding > 1]


_TABLE_COLUMNS = ["site", "hash", "pages"]


def import_pyarrow() -> Any:
    """Import pyarrow, or say how to get it."""
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise InputError("a table of repeated blocks is Parquet: pip install 'detector[parquet]'") from error
    return pyarrow


def load_repeats(path: Path) -> RepeatTable:
    """Read a table of repeated blocks: a Parquet file, or a folder of them as a cluster writes it.

    A row is (site, hash, pages); hash 0 is the site as a whole. Hashes stand as signed numbers, for not every engine has
    others. Rows may stand in any order.

    Raises
    ------
    InputError
        If the file is not such a table.
    """
    pyarrow = import_pyarrow()
    try:
        rows = pyarrow.parquet.read_table(path, columns=_TABLE_COLUMNS)
        names, site = np.unique(rows["site"].to_numpy(), return_inverse=True)
        hashes, pages = rows["hash"].to_numpy().astype(np.uint64), rows["pages"].to_numpy().astype(np.int64)
    except (OSError, KeyError, ValueError, TypeError, pyarrow.ArrowException) as error:
        raise InputError(f"{path}: not a table of repeated blocks ({error}); make one with `sites build`") from error
    order = np.lexsort((hashes, site))
    hashes, pages, site = hashes[order], pages[order], site[order]
    totals = hashes == 0
    if not np.array_equal(site[totals], np.arange(len(names))):
        raise InputError(f"{path}: not a table of repeated blocks (sites without their number of pages)")
    sizes = np.bincount(site[~totals], minlength=len(names))
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    return RepeatTable(names.tolist(), pages[totals], offsets, hashes[~totals], pages[~totals])
