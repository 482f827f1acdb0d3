"""Probabilities to labels, labels to the verdict on a page and its cleaned text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from detector.labels import Label

MIN_ARTICLE_CHARS = 40  # content below this, beside spam, is no article worth storing
SPAM_PAGE_SHARE = 0.5  # of a page's non-chrome characters that are spam: the page itself is spam
MAX_REPLACED_SHARE = 0.05  # replacement characters per character of text: beyond repair
COPY_MIN_CHARS = 100  # repeated content below this is a refrain, not a second copy of the body
COPY_MIN_SHARE = 0.8  # of the content from where a copy begins that has stood before
COPY_BLOCK_CHARS = 12  # shorter repeated blocks go only inside a copy


def decide(
    proba: NDArray[np.float32], *, content_threshold: float, spam_threshold: float | NDArray[np.float64]
) -> NDArray[np.int8]:
    """Label blocks: spam if its probability reaches its threshold, else content if it outweighs chrome enough.

    Parameters
    ----------
    proba : float32 ndarray of shape (n, 3)
        In `Label` order.
    content_threshold : float
        On the probability of content given that the block is not spam.
    spam_threshold : float or float64 ndarray of shape (n,)

    Returns
    -------
    int8 ndarray of shape (n,)
    """
    honest = np.maximum(proba[:, Label.CONTENT] + proba[:, Label.CHROME], 1e-9)
    content = proba[:, Label.CONTENT] / honest >= content_threshold
    label = np.where(content, np.int8(Label.CONTENT), np.int8(Label.CHROME))
    return np.where(proba[:, Label.SPAM] >= spam_threshold, np.int8(Label.SPAM), label).astype(np.int8)


def second_copies(label: NDArray[np.int8], hashes: NDArray[np.uint64], n_chars: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark the content blocks of one page that stand in a second copy of its body, bool (n,).

    A page built for desktop and for phones holds its article twice. A copy is long, and from where it begins nearly all
    content has stood before; a song's chorus or a repeated byline is neither.
    """
    content = np.flatnonzero(label == Label.CONTENT)
    _, first = np.unique(hashes[content], return_index=True)
    again = np.ones(len(content), bool)
    again[first] = False
    copies = np.zeros(len(label), bool)
    size, repeated = (np.cumsum(x[::-1])[::-1] for x in (n_chars[content], n_chars[content] * again))  # from here on
    begins = again & (n_chars[content] >= COPY_BLOCK_CHARS)
    starts = np.flatnonzero(begins & (repeated >= COPY_MIN_CHARS) & (repeated >= COPY_MIN_SHARE * size))
    if len(starts):
        copies[content[starts[0] :][again[starts[0] :]]] = True
    return copies


def cut_out(text: str, places: Sequence[tuple[int, int]]) -> str:
    """Cut strings out of a text; `places` are (start, stop) in code points, in any order.

    Examples
    --------
    >>> cut_out("会议由 某博官网 主持", [(4, 8)])
    '会议由 主持'
    """
    kept, place = [], 0
    for start, stop in sorted(places):
        kept.append(text[place:start])
        place = max(place, stop)
    return " ".join("".join([*kept, text[place:]]).split())


def judge(
    label: NDArray[np.int8], n_chars: NDArray[np.int64], *, injected: Sequence[str], replaced_share: float
) -> tuple[str, list[str]]:
    """Return keep, clean or drop for one page, with the reasons.

    Parameters
    ----------
    n_chars : int64 ndarray of shape (n,)
        Characters of each block that are left once injected strings are cut out.
    injected : sequence of str
        Reasons already known: ``injected_span``, ``stuffed_title``.
    replaced_share : float
        Replacement characters per character of text.
    """
    chars = np.bincount(label, n_chars, minlength=3) if len(label) else np.zeros(3)
    content, spam = chars[Label.CONTENT], chars[Label.SPAM]
    reasons = [*["spam_block"] * bool(spam), *injected]
    tampered = bool(reasons)
    if replaced_share > MAX_REPLACED_SHARE:
        return "drop", [*reasons, "mojibake"]
    if content == 0:
        return "drop", [*reasons, "spam_page" if tampered else "no_article"]
    if spam and (content < MIN_ARTICLE_CHARS or spam > SPAM_PAGE_SHARE * (content + spam)):
        return "drop", [*reasons, "spam_page"]
    return ("clean" if reasons else "keep"), reasons
