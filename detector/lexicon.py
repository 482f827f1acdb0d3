"""Cue files and one automaton over all of them.

A cue file is a table of ``term``, ``weight`` and, if wanted, ``note``, tab-separated; ``#`` starts a comment. Each file is
one group, and each group one feature column.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detector import compiled
from detector.chars import (
    MATHEMATICAL,
    code_points,
    fold_codes,
    folding,
    mathematical,
    text_of,
    wedge_table,
    without_wedges,
)
from detector.errors import LexiconError

if TYPE_CHECKING:
    from detector.blocks import Blocks

# The groups, in the order of their feature columns.
GROUPS = ("byline", "share", "navigation", "related", "comment", "legal", "app",
          "gambling", "brand", "root", "tail", "porn", "finance", "contact", "goods", "report")  # fmt: skip


class Hits(NamedTuple):
    """Cues found in the blocks of a batch: int64 (n_hits,) each, no two overlapping.

    `term` is an index into a lexicon's terms; `start` and `stop` are code points in the text of block number `block`.
    """

    term: NDArray[np.int64]
    block: NDArray[np.int64]
    start: NDArray[np.int64]
    stop: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Lexicon:
    """Terms of all groups, compiled.

    Attributes
    ----------
    terms : list of str
        As `normalised` makes them.
    weight : float32 ndarray of shape (n_terms, len(GROUPS))
        What a hit counts for each group; 0 for groups that the term is not in. A term may be in several.
    """

    terms: list[str]
    weight: NDArray[np.float32]

    @cached_property
    def _automaton(self) -> Any:
        from ahocorasick_rs import AhoCorasick, MatchKind

        return AhoCorasick(self.terms, matchkind=MatchKind.LeftmostLongest)

    @cached_property
    def _tree(self) -> Any:
        return compiled.text and compiled.text.Terms(self.terms)

    @property
    def sha256(self) -> str:
        """Digest of terms, groups and weights."""
        return hashlib.sha256("\n".join(self.terms).encode() + self.weight.tobytes()).hexdigest()

    def member(self, groups: Sequence[str]) -> NDArray[np.uint8]:
        """Number of the first of `groups` that each term is in, from 1; 0 where it is in none. uint8 (n_terms,)."""
        out = np.zeros(len(self.terms), np.uint8)
        for number, group in reversed(list(enumerate(groups, 1))):
            out[self.weight[:, GROUPS.index(group)] > 0] = number
        return out

    def find(self, codes: NDArray[np.uint32]) -> NDArray[np.int64]:
        """Find every cue in code points, longest first, none overlapping; rows of (term, start, stop), int64 (n_hits, 3).

        Terms are looked for in a normalised copy: full-width, styled and traditional characters are as good as plain ones,
        and what is wedged into a word is passed over. Places are those in `codes`.
        """
        if compiled.text is not None:
            found: NDArray[np.int64] = self._tree.find(codes, np.array([0, len(codes)]), *_folding())[:, [0, 2, 3]]
            return found
        kept = without_wedges(codes)
        plain = fold_codes(codes if kept is None else codes[kept], keep_digits=True)
        found = np.array(self._automaton.find_matches_as_indexes(text_of(plain)), np.int64).reshape(-1, 3)
        if kept is not None and len(found):
            found[:, 1], found[:, 2] = kept[found[:, 1]], kept[found[:, 2] - 1] + 1
        return found

    def hits(self, blocks: Blocks) -> Hits:
        """Find the cues of blocks."""
        if compiled.text is not None:
            return Hits(*np.ascontiguousarray(self._tree.find(blocks.codes, blocks.text_offsets, *_folding()).T))
        # Blocks are set apart by a newline, which no term holds: block i then begins i characters later.
        codes = np.full(len(blocks.text) + len(blocks), ord("\n"), np.uint32)
        codes[np.arange(len(blocks.text)) + np.repeat(np.arange(len(blocks)), blocks.n_chars)] = blocks.codes
        term, start, stop = self.find(codes).T
        begins = blocks.text_offsets[:-1] + np.arange(len(blocks))
        block = np.searchsorted(begins, start, "right") - 1
        return Hits(term, block, start - begins[block], stop - begins[block])


@lru_cache(maxsize=1)
def _folding() -> tuple[NDArray[np.uint32], NDArray[np.uint32], int, NDArray[np.uint8]]:
    """What the compiled search folds characters by; a surrogate becomes U+FFFD, as `text_of` makes it."""
    table = folding(keep_digits=True).copy()
    table[0xD800:0xE000] = 0xFFFD
    return table, mathematical(keep_digits=True), MATHEMATICAL[0], wedge_table()


def normalised(term: str) -> str:
    """Return a term in the form in which it is looked for."""
    return text_of(fold_codes(code_points(term), keep_digits=True))


def load_lexicon(extra: Iterable[Path] = ()) -> Lexicon:
    """Load the packaged cue files, and an operator's own files of the same form over them.

    An own file counts towards the group it is named after; a name that is no group's counts as gambling.

    Raises
    ------
    LexiconError
        Naming the file and line.
    """
    rows: dict[tuple[str, int], float] = {}
    for number, name in enumerate(GROUPS):
        resource = files("detector") / "cues" / f"{name}.tsv"
        rows |= _parse(resource.read_text("utf-8"), f"{name}.tsv", number)
    for path in extra:
        group = GROUPS.index(path.stem) if path.stem in GROUPS else GROUPS.index("gambling")
        try:
            rows |= _parse(path.read_text("utf-8-sig"), str(path), group)
        except (OSError, UnicodeDecodeError) as error:
            raise LexiconError(f"{path}: cannot be read as UTF-8 text ({error})") from error
    return _compile(rows)


def _parse(text: str, name: str, group: int) -> dict[tuple[str, int], float]:
    """Read one cue file; the weight of each (term, group)."""
    rows = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith(("#", "term\t")):
            continue
        term, _, rest = line.partition("\t")
        weight = rest.split("\t")[0].strip() or "1"
        if not term.strip():
            raise LexiconError(f"{name}:{number}: the term is empty")
        try:
            value = float(weight)
            if not math.isfinite(value) or value < 0:
                raise ValueError
            rows[normalised(term.strip()), group] = value
        except ValueError:
            raise LexiconError(f"{name}:{number}: the weight {weight!r} is not a number of 0 or more") from None
    return rows


def append_term(path: Path, term: str, weight: float, note: str = "") -> bool:
    """Append a line to a cue file, which is made if need be; False, and nothing is written, if it has the term.

    Raises
    ------
    LexiconError
        If the file is no cue file or cannot be written, or the term or note would break it.
    """
    term = term.strip()
    if not term or term.startswith("#") or set("\t\r\n") & {*term, *note}:
        raise LexiconError(f"{path}: {term!r} ({note!r}) cannot be a line of a cue file")
    try:
        text = path.read_text("utf-8-sig") if path.exists() else ""
        if normalised(term) in {known for known, _ in _parse(text, str(path), 0)}:
            return False
        start = "\n" if text and not text.endswith("\n") else ""
        with path.open("a", encoding="utf-8", newline="\n") as stream:
            stream.write(f"{start}{term}\t{weight:g}\t{note}".rstrip("\t") + "\n")
    except (OSError, UnicodeDecodeError) as error:
        raise LexiconError(f"{path}: cannot be written to ({error})") from error
    return True


def _compile(rows: dict[tuple[str, int], float]) -> Lexicon:
    terms = list(dict.fromkeys(term for term, _ in rows))
    place = {term: i for i, term in enumerate(terms)}
    weight = np.zeros((len(terms), len(GROUPS)), np.float32)
    for (term, group), value in rows.items():
        weight[place[term], group] = value
    return Lexicon(terms, weight)
