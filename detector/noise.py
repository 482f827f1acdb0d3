"""Noise woven into running text, where it is certain: pinyin after ordinary characters, a symbol inside words again and again.

A gloss is given once, for a rare character; noise is given for common ones, and all over the page. A bullet stands between
words; noise stands inside them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from detector.background import LOG_STEPS, PAIR_BITS, SINGLE_BITS, Background, buckets, join
from detector.chars import HAN, OTHER, SYMBOL, char_kinds, code_points, fold_codes

MIN_GLOSSES = 3  # of common characters in a page
MIN_WEDGES = 3  # of one symbol inside words of a page
COMMON = 9.0  # log2 of how often the background holds a character that needs no gloss
JOINED = 7.0  # log2 of how often the background holds a pair that belongs together
_GLOSS = re.compile(r"(?<=[\u3400-\u9fff])[(（][a-zü]*[āáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜ][a-zü]*[)）]")
HONEST_MARKS = frozenset(
    "·•・—-~～_/\\|｜+=*＊°％%‰℃№①②③④⑤⑥⑦⑧⑨⑩×÷→←↑↓■□▲△▼●○◆◇★☆※“”‘’…\u3000\u00a0"
)  # marks of lists, numbers, names
_HONEST_CODES = np.array([ord(c) for c in sorted(HONEST_MARKS)], np.uint32)
_TONED = np.array([ord(c) for c in "āáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜ"], np.uint32)

Place = tuple[int, int, int]  # number of the text, start, stop


def find_noise(texts: Sequence[str], background: Background) -> list[Place]:
    """Find certain noise in the texts of one page, in reading order.

    Examples
    --------
    Nothing is certain of a gloss that stands alone: ``亳(bó)州`` is left as it is.
    """
    return sorted([*_glosses(texts, background), *_wedges(texts, background)])


def may_be_noisy(
    codes: NDArray[np.uint32], kinds: NDArray[np.uint8], page: NDArray[np.int64], n_pages: int
) -> NDArray[np.int64]:
    """Choose the pages that `find_noise` could say something of, from the characters of all.

    Parameters
    ----------
    codes, kinds, page : ndarrays of shape (n_chars,)
        The characters of all pages, their kinds, and the page of each.
    """
    glossed = np.bincount(page[np.isin(codes, _TONED)], minlength=n_pages) >= MIN_GLOSSES
    odd = _between_han(kinds)
    odd = odd[~np.isin(codes[odd], _HONEST_CODES)]
    return np.flatnonzero(glossed | (np.bincount(page[odd], minlength=n_pages) >= MIN_WEDGES))


def _glosses(texts: Sequence[str], background: Background) -> list[Place]:
    found = [(number, m.start(), m.end()) for number, text in enumerate(texts) for m in _GLOSS.finditer(text)]
    if len(found) < MIN_GLOSSES:
        return []
    glossed = "".join(texts[number][start - 1] for number, start, _ in found)
    common = _log_counts(glossed, 1, background.singles, SINGLE_BITS) >= COMMON
    return found if common.sum() >= max(MIN_GLOSSES, len(found) / 2) else []


def _wedges(texts: Sequence[str], background: Background) -> list[Place]:
    codes, starts = join(texts)
    odd = _between_han(char_kinds(codes))
    odd = odd[~np.isin(codes[odd], _HONEST_CODES)]
    number = np.searchsorted(starts, odd, "right") - 1
    found = [
        (n, at, at + 1)
        for n, at in zip(number.tolist(), (odd - starts[number]).tolist(), strict=True)
        if not texts[n][at].isalnum()
    ]
    across = "".join(texts[number][start - 1] + texts[number][stop] for number, start, stop in found)
    joined = _log_counts(across, 2, background.pairs, PAIR_BITS)[::2] >= JOINED if found else np.zeros(0, bool)
    inside = [place for place, is_joined in zip(found, joined.tolist(), strict=True) if is_joined]
    times = Counter(texts[number][start] for number, start, _ in inside)
    certain = {symbol for symbol, n in times.items() if n >= MIN_WEDGES}
    return [place for place in found if texts[place[0]][place[1]] in certain]


def _between_han(kinds: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the places of symbols and other odd characters between two Han characters."""
    odd = np.flatnonzero((kinds[1:-1] == SYMBOL) | (kinds[1:-1] == OTHER)) + 1
    between: NDArray[np.int64] = odd[(kinds[odd - 1] == HAN) & (kinds[odd + 1] == HAN)]
    return between


def _log_counts(text: str, size: int, table: NDArray[np.uint8], bits: int) -> NDArray[np.float32]:
    """How often the background holds what begins at each character, as log2."""
    return table[buckets(fold_codes(code_points(text)), size, bits)] * np.float32(1 / LOG_STEPS)
