"""Blocks to a feature matrix: all families, in order.

Families are called one by one rather than found in a registry, because each takes exactly the resource it needs.
"""

from __future__ import annotations

from itertools import chain

import numpy as np

from detector.arrays import Floats, Ints, side_by_side
from detector.blocks import Blocks
from detector.features import context, cues, evidence, links, markup, mass, position, repeated, shape
from detector.lexicon import Hits, Lexicon
from detector.ngrams import Words
from detector.repeats import SiteCounts, block_hashes

FEATURES_VERSION = 2  # raise it when a column changes its meaning

FAMILIES = {
    "shape": shape.NAMES, "links": links.NAMES, "position": position.NAMES, "markup": markup.NAMES, "cues": cues.NAMES,
    "repeated": repeated.NAMES, "mass": mass.NAMES, "evidence": evidence.NAMES,
}  # fmt: skip
OWN_NAMES = tuple(chain.from_iterable(FAMILIES.values()))
FEATURE_NAMES = (*OWN_NAMES, *context.NAMES)

# What only a DOM can tell; unknown for plain text.
_DOM_COLUMNS = [i for i, name in enumerate(OWN_NAMES) if name in (*links.NAMES, *markup.NAMES)
                or name.rstrip("0123") in ("mass_share_", "log_mass_", "link_share_", "log_siblings_", "prose_share_")]  # fmt: skip


def featurize(
    blocks: Blocks, lexicon: Lexicon, words: Words, seen: SiteCounts | None = None, hits: Hits | None = None
) -> Floats:
    """Compute every feature that a block has of its own.

    Parameters
    ----------
    seen : SiteCounts, optional
        Repetition over the pages of each site, where a table tells it.
    hits : Hits, optional
        The cues of the blocks, if they have been looked for already.

    Returns
    -------
    float32 ndarray of shape (n, len(OWN_NAMES))
        NaN where a value is unknown, as the DOM columns are for plain text.
    """
    if len(blocks) == 0:
        return np.zeros((0, len(OWN_NAMES)), np.float32)
    families = (
        shape.columns(blocks), links.columns(blocks), position.columns(blocks), markup.columns(blocks),
        cues.columns(blocks, lexicon, hits or lexicon.hits(blocks)), repeated.columns(block_hashes(blocks), blocks.page_index, seen),
        mass.columns(blocks), evidence.columns(blocks, words),
    )  # fmt: skip
    own = side_by_side(families)
    plain = np.flatnonzero(~blocks.from_dom[blocks.page_index])
    own[plain[:, None], _DOM_COLUMNS] = np.nan
    return own


def with_context(own: Floats, page_offsets: Ints) -> Floats:
    """Put the columns of the neighbours beside a block's own, float32 (n, len(FEATURE_NAMES))."""
    return side_by_side(beside_own(own, page_offsets))


def beside_own(own: Floats, page_offsets: Ints) -> list[Floats]:
    """Return what `with_context` puts side by side, in parts: whoever goes through it once need not copy it."""
    return [own, *context.columns(own, OWN_NAMES, page_offsets)]
