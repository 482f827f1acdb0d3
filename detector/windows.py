"""A second look at warm characters: a small network over the window around each.

`heat` adds votes up; whether a Latin handle followed by an entity's tail is odd takes more than a sum. The network sees,
for each character from `REACH` before to `REACH` after, its heat, how well it goes with its neighbours, its kind, its cue,
what is talked of around it and how often the page repeats it with the next; and tells whether an injected string begins
there, goes on, has just ended, or none of these. Only characters near warm ones are looked at, so it costs little.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detector.chars import EDGE_CODE
from detector.heat import N_CUES, N_KINDS
from detector.network import Panel
from detector.weigh import Weighed

# Log odds from which a character, and those near it, are looked at again: by heat, and by what is talked of near it. Each
# takes two in a thousand honest ones.
WARM, TOPICAL = 0.0, 2.0
MARGIN = 4  # characters looked at on each side of a warm one
REACH = 6  # characters seen on each side of the one that is judged
MAX_HEAT = 8.0  # log odds; beyond, hot is hot
COLD = -14.0  # log odds of a character that was not looked at again
MIN_PROBA = 1e-6
OUTSIDE, FIRST, FURTHER, BEHIND = range(4)  # what a character is to an injected string
_MEASURES = 9
_KIND_COLUMNS = np.eye(N_KINDS, dtype=np.float32)
_CUE_COLUMNS = np.eye(N_CUES, dtype=np.float32)[:, 1:]  # no cue is all zeros
WIDTH = (2 * REACH + 1) * (_MEASURES + N_KINDS + N_CUES - 1)


def warm_zones(hot: NDArray[np.float32], near: NDArray[np.float32], codes: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Choose the characters to be looked at again, ascending int64 (m,); `hot` and `near` are float32 (n_chars,)."""
    warm, n = np.flatnonzero((hot > WARM) | (near > TOPICAL)), len(hot)
    begins = np.bincount(np.maximum(warm - MARGIN, 0), minlength=n + 1)
    ends = np.bincount(np.minimum(warm + MARGIN + 1, n), minlength=n + 1)
    close = np.cumsum(begins - ends)[:-1] > 0
    return np.flatnonzero(close & (codes != EDGE_CODE) & np.isfinite(hot))


def pairs_in_page(
    folded: NDArray[np.uint64], page: NDArray[np.int64], chosen: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Count how often each chosen character and the next stand among the chosen of their page, as log2; 0 for the others."""
    following = folded[np.minimum(chosen + 1, len(folded) - 1)]
    keys = (page[chosen].astype(np.uint64) << np.uint64(42)) | (folded[chosen] << np.uint64(21)) | following
    _, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    out = np.zeros(len(folded), np.float32)
    out[chosen] = np.log2(counts[inverse])
    return out


def window_rows(weighed: Weighed, chosen: NDArray[np.int64]) -> NDArray[np.float32]:
    """Describe the window of each chosen character, one character in it after another, float32 (m, WIDTH)."""
    n = len(weighed.hot)
    at = np.clip(chosen[:, None] + np.arange(-REACH, REACH + 1), 0, n - 1)
    seen = np.zeros(n, bool)
    seen[at] = True
    # Windows overlap: each character is described once.
    number = np.cumsum(seen) - 1
    rows: NDArray[np.float32] = _describe(weighed, np.flatnonzero(seen), chosen)[number[at]]
    return rows.reshape(len(chosen), WIDTH)


def _describe(weighed: Weighed, seen: NDArray[np.int64], chosen: NDArray[np.int64]) -> NDArray[np.float32]:
    traits, hot = weighed.traits, np.clip(weighed.hot[seen], -MAX_HEAT, MAX_HEAT)
    repeated = pairs_in_page(traits.folded, weighed.page, chosen)[seen]
    topical = weighed.topical.near[seen], weighed.topical.around[seen]
    measures = np.column_stack([hot, *(measured[seen] for measured in traits.fit), repeated, *topical])
    return np.concatenate([measures, _KIND_COLUMNS[traits.kinds[seen]], _CUE_COLUMNS[traits.cues[seen]]], axis=1)


class Look(NamedTuple):
    """What the second look says of every character, float32 (n_chars,) each.

    Attributes
    ----------
    inside : log odds of being injected
    enter, stay, leave : log odds of being the first character of a string, a further one, the first one behind it, against
        standing outside any
    """

    inside: NDArray[np.float32]
    enter: NDArray[np.float32]
    stay: NDArray[np.float32]
    leave: NDArray[np.float32]


def cold_look(n_chars: int) -> Look:
    """What is said of characters that are not looked at again: nothing begins or goes on there, anything may end."""
    cold = np.full(n_chars, COLD, np.float32)
    return Look(cold, cold.copy(), cold.copy(), np.zeros(n_chars, np.float32))


def judge_windows(
    look: Look,
    chosen: NDArray[np.int64],
    networks: Panel,
    rows: NDArray[np.float32],
    offsets: NDArray[np.int64] | None = None,
) -> None:
    """Write into `look` what the networks say of the chosen characters; those of a page from offset to offset."""
    p = np.maximum(networks.predict_proba(rows, offsets), MIN_PROBA)
    outside = np.log(p[:, OUTSIDE] + p[:, BEHIND])
    look.inside[chosen] = np.log(p[:, FIRST] + p[:, FURTHER]) - outside
    for column, tag in ((look.enter, FIRST), (look.stay, FURTHER), (look.leave, BEHIND)):
        column[chosen] = np.log(p[:, tag]) - outside


def look_again(weighed: Weighed, networks: Panel) -> Look:
    """Judge the characters near warm ones anew; all others are cold."""
    chosen = warm_zones(weighed.hot, weighed.topical.near, weighed.traits.codes)
    look = cold_look(len(weighed.hot))
    if len(chosen):
        judge_windows(look, chosen, networks, window_rows(weighed, chosen), weighed.offsets(chosen))
    return look
