"""Gold text to block labels: which blocks of a page stand in the article a person copied out.

The blocks that the gold text holds are placed on it one after another: of all places where a block's text occurs in
the gold, the heaviest chain that runs forward in both is kept, so a headline repeated in a sidebar or a short word that
happens to occur in the article does not become content. Then the sources' habits are made to agree: the headline is
content whether or not the gold holds it, and a line of date, source or editor is chrome even where it does.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

import numpy as np
from numpy.typing import NDArray

from detector.blocks import TAGS, Blocks
from detector.labels import Label

GRAM = 5  # characters; for blocks that the gold has with small changes
MIN_COVERAGE = 0.6  # of a block's n-grams that the gold holds
MAX_PLACES = 12  # of one block in the gold
SLACK = 3  # characters two neighbours may overlap

_SPACE = re.compile(r"\s+")
_MUTE = re.compile(r"^[\W_]*$")
_BYLINE = re.compile(
    r"^[\W_]*(?:(?:责任?编辑|責任?編輯|编辑|編輯|作者|来源|來源|稿源|文章来源|本文来源|新闻来源|原标题|监制|校对|审核|记者|實習記者)[\W_]*)?"
    r"[:：].{0,24}(?<![?!。])$|^[\W_]*[(（【\[]?(?:责任?编辑|責任?編輯|编辑|来源|來源)[^。]{0,30}$"
)
_DATELINE = re.compile(r"^\D{0,12}(?:19|20)\d\d[-年/.]\s?\d{1,2}[-月/.]\s?\d{1,2}日?[^。,]{0,60}$")
_HEADINGS = frozenset(TAGS.index(f"h{i}") for i in range(1, 7))


def normalize(text: str) -> str:
    """Width-fold and drop white space, so that gold and page compare."""
    return _SPACE.sub("", unicodedata.normalize("NFKC", text))


def align(blocks: Blocks, gold: str) -> NDArray[np.int8]:
    """Label the blocks of one page by its gold text.

    Parameters
    ----------
    blocks : Blocks
        One page.
    gold : str
        The article's text.

    Returns
    -------
    int8 ndarray of shape (n,)
        `Label.CONTENT` or `Label.CHROME`.
    """
    texts = [normalize(text) for text in blocks.texts()]
    label = np.full(len(texts), int(Label.CHROME), np.int8)
    chain = _heaviest_chain(_places(texts, normalize(gold)))
    label[chain] = Label.CONTENT
    for i in chain:
        if _BYLINE.match(texts[i]) or _DATELINE.match(texts[i]):
            label[i] = Label.CHROME
    _mark_headline(label, texts, blocks)
    return label


def _places(texts: list[str], gold: str) -> list[tuple[int, int, int]]:
    """Return (block, start in gold, characters) for every place where a block may stand."""
    grams = {gold[i : i + GRAM]: i for i in range(len(gold) - GRAM, -1, -1)}
    places = []
    for i, text in enumerate(texts):
        if _MUTE.match(text):
            continue
        found = [(i, start, len(text)) for start in _occurrences(text, gold)]
        places += found or _near_place(i, text, grams)
    return places


def _occurrences(text: str, gold: str) -> list[int]:
    starts: list[int] = []
    start = gold.find(text)
    while start >= 0 and len(starts) < MAX_PLACES:
        starts.append(start)
        start = gold.find(text, start + 1)
    return starts


def _near_place(i: int, text: str, grams: dict[str, int]) -> list[tuple[int, int, int]]:
    if len(text) < 3 * GRAM:
        return []
    own = [text[k : k + GRAM] for k in range(len(text) - GRAM + 1)]
    hits = [(k, grams[gram]) for k, gram in enumerate(own) if gram in grams]
    if len(hits) < MIN_COVERAGE * len(own):
        return []
    shift = Counter(place - k for k, place in hits).most_common(1)[0][0]
    return [(i, max(0, shift), len(hits))]


def _heaviest_chain(places: list[tuple[int, int, int]]) -> list[int]:
    """Blocks of the heaviest sequence of places that moves forward in the page and in the gold."""
    if not places:
        return []
    block, start, size = np.array(places, np.int64).T
    best = size.astype(np.float64)
    back = np.full(len(places), -1)
    for k in range(1, len(places)):
        before = best[:k].copy()
        before[(block[:k] >= block[k]) | (start[:k] + size[:k] > start[k] + np.minimum(SLACK, size[:k] // 2))] = -1
        at = int(before.argmax())
        if before[at] > 0:
            best[k] += before[at]
            back[k] = at
    chain, k = [], int(best.argmax())
    while k >= 0:
        chain.append(int(block[k]))
        k = int(back[k])
    return chain[::-1]


def _mark_headline(label: NDArray[np.int8], texts: list[str], blocks: Blocks) -> None:
    """Make the headline content: the block before the body that the page's title begins with or holds."""
    content = np.flatnonzero(label == Label.CONTENT)
    title = normalize(blocks.titles[0])
    if not len(content) or len(title) < 4:
        return
    body = next((i for i in content if len(texts[i]) >= 40 and not _is_headline(texts[i], title)), content[-1])
    named = [i for i in range(body) if _is_headline(texts[i], title)]
    if not named:
        return
    heads = [i for i in named if int(blocks.tag[i]) in _HEADINGS]
    marked = [i for i in named if label[i] == Label.CONTENT]
    chosen = (heads or marked or named)[-1]
    label[named] = Label.CHROME
    label[chosen] = Label.CONTENT


def _is_headline(text: str, title: str) -> bool:
    """A headline stands in the title whole, or begins it, and is a good part of it."""
    return len(text) >= max(4, 0.35 * len(title)) and (
        text in title or (title in text and len(text) < 1.3 * len(title))
    )
