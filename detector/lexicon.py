"""Cue files and one automaton over all of them.

A cue file is a table of ``term``, ``weight`` and, if wanted, ``note``, tab-separated; ``#`` starts a comment. Each file is
one group, and each group one feature column.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from detector.errors import LexiconError

if TYPE_CHECKING:
    from detector.blocks import Blocks

# The groups, in the order of their feature columns.
GROUPS = ("byline", "share", "navigation", "related", "comment", "legal", "app",
          "gambling", "brand", "root", "tail", "porn", "finance", "contact", "goods")  # fmt: skip


@dataclass(frozen=True, eq=False)
class Lexicon:
    """Terms of all groups, compiled.

    Attributes
    ----------
    terms : list of str
        Lower case.
    group, weight : int32 and float32 ndarray of shape (n_terms,)
    """

    terms: list[str]
    group: NDArray[np.int32]
    weight: NDArray[np.float32]
    automaton: Any = field(repr=False)

    @property
    def sha256(self) -> str:
        """Digest of terms, groups and weights."""
        rows = (f"{t}\t{g}\t{w:g}\n" for t, g, w in zip(self.terms, self.group, self.weight, strict=True))
        return hashlib.sha256("".join(rows).encode()).hexdigest()

    def hits(self, blocks: Blocks) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Find every cue, longest first, none across a block's edge.

        Returns
        -------
        term, block, start, stop : int64 ndarrays of shape (n_hits,)
            Index into `terms`, index of the block, and code points in the batch's text.
        """
        lowered = blocks.text.lower()
        text = lowered if len(lowered) == len(blocks.text) else blocks.text
        found = np.array(self.automaton.find_matches_as_indexes(text), np.int64).reshape(-1, 3)
        block = np.searchsorted(blocks.text_offsets, found[:, 1], "right") - 1
        inside = found[:, 2] <= blocks.text_offsets[block + 1]
        term, start, stop = found[inside].T
        return term, block[inside], start, stop


def load_lexicon(extra: Iterable[Path] = ()) -> Lexicon:
    """Load the packaged cue files, and an operator's own files of the same form over them.

    An own file counts towards the group it is named after; a name that is no group's counts as gambling.

    Raises
    ------
    LexiconError
        Naming the file and line.
    """
    rows: dict[str, tuple[int, float]] = {}
    for number, name in enumerate(GROUPS):
        resource = files("detector") / "cues" / f"{name}.tsv"
        rows |= _parse(resource.read_text("utf-8"), f"{name}.tsv", number)
    for path in extra:
        group = GROUPS.index(path.stem) if path.stem in GROUPS else GROUPS.index("gambling")
        try:
            rows |= _parse(path.read_text("utf-8"), str(path), group)
        except (OSError, UnicodeDecodeError) as error:
            raise LexiconError(f"{path}: cannot be read as UTF-8 text ({error})") from error
    return _compile(rows)


def _parse(text: str, name: str, group: int) -> dict[str, tuple[int, float]]:
    rows = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith(("#", "term\t")):
            continue
        term, _, rest = line.partition("\t")
        weight = rest.split("\t")[0].strip() or "1"
        try:
            rows[term.strip().lower()] = (group, float(weight))
        except ValueError:
            raise LexiconError(f"{name}:{number}: the weight {weight!r} is not a number") from None
    return rows


def _compile(rows: dict[str, tuple[int, float]]) -> Lexicon:
    from ahocorasick_rs import AhoCorasick, MatchKind

    terms = list(rows)
    group = np.array([rows[term][0] for term in terms], np.int32)
    weight = np.array([rows[term][1] for term in terms], np.float32)
    return Lexicon(terms, group, weight, AhoCorasick(terms, matchkind=MatchKind.LeftmostLongest))
