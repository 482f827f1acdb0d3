"""Pages, and the blocks of a batch of pages as a structure of arrays.

Glossary of the names used in all code
--------------------------------------
page      one document
block     a run of text between block-level tags; for plain text, a line
holder    the block-level element in which a block's text stands
n, p, f   blocks in the batch, pages in the batch, features
X         features, float32 (n, f); unknown is NaN, never 0
offsets   bounds: page ``i`` owns blocks ``page_offsets[i]:page_offsets[i + 1]``
content   what a reader came for · chrome  what the site puts around it · spam  what somebody injected
span      an injected string inside a block of any label
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, chain, pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detector.chars import code_points

# Tags a block can carry: the tag of its holder. The first is for anything not listed.
TAGS = (
    "other", "p", "div", "td", "li", "h1", "h2", "h3", "h4", "h5", "h6", "dd", "dt", "th", "section", "article",
    "body", "blockquote", "pre", "center", "figcaption", "caption", "header", "footer", "nav", "aside", "main",
    "form", "ul", "marquee", "line",
)  # fmt: skip
TAG_INDEX = {tag: i for i, tag in enumerate(TAGS)}

# Elements whose presence among a block's ancestors is kept as one bit each.
LANDMARKS = ("article", "main", "nav", "header", "footer", "aside", "form", "table", "ul", "a", "figure", "blockquote")
LANDMARK_BIT = {tag: 1 << i for i, tag in enumerate(LANDMARKS)} | {"ol": 1 << 8, "dl": 1 << 8}

HOLDER_LEVELS = 4  # the holder and three elements above it
NAMED_LEVELS = 6  # the nearest ancestors that carry a class or an id


class RawPage(NamedTuple):
    """A page as it was found, before decoding.

    `body` is bytes as scraped or text already decoded; `charset` is what an HTTP header declared;
    `media_type` is ``text/html`` or ``text/plain``; `title` is known only where a record carries it apart;
    `problem` is (code, message) for a page that a reader found but could not read; `columns` is what else its record
    holds, by the caller's names.
    """

    page_id: str
    body: bytes | str
    url: str | None = None
    charset: str | None = None
    media_type: str = "text/html"
    title: str = ""
    problem: tuple[str, str] | None = None
    columns: Mapping[str, Any] = {}

    @classmethod
    def from_html(
        cls, html: bytes | str, *, page_id: str = "-", url: str | None = None, charset: str | None = None
    ) -> RawPage:
        """Make a page from markup, bytes or str."""
        return cls(page_id, html, url, charset, "text/html")

    @classmethod
    def from_text(cls, text: bytes | str, *, page_id: str = "-", url: str | None = None, title: str = "") -> RawPage:
        """Make a page from plain text: its blocks are its lines."""
        return cls(page_id, text, url, None, "text/plain", title)


@dataclass(frozen=True, eq=False)
class Texts:
    """Runs of text, back to back.

    Attributes
    ----------
    text : str
        All of them, one directly after another; white space is folded.
    text_offsets : int64 ndarray of shape (n + 1,)
        Run ``i`` is ``text[text_offsets[i]:text_offsets[i + 1]]``; never empty.
    """

    text: str
    text_offsets: NDArray[np.int64]

    @staticmethod
    def of(strings: Sequence[str]) -> Texts:
        """Put strings back to back, none of them empty."""
        return Texts("".join(strings), np.array([0, *accumulate(map(len, strings))], np.int64))

    def __len__(self) -> int:
        return len(self.text_offsets) - 1

    @property
    def n_chars(self) -> NDArray[np.int64]:
        """Length of each run in code points, int64 (n,)."""
        sizes: NDArray[np.int64] = self.text_offsets[1:] - self.text_offsets[:-1]  # np.diff takes five times as long
        return sizes

    @cached_property
    def codes(self) -> NDArray[np.uint32]:
        """The code points of the text, uint32 (n_chars,)."""
        return code_points(self.text)

    def texts(self, start: int = 0, stop: int | None = None) -> list[str]:
        """Slice the strings of runs ``start:stop``."""
        bounds = self.text_offsets[start : len(self) + 1 if stop is None else stop + 1].tolist()
        return [self.text[a:b] for a, b in pairwise(bounds)]

    def texts_of(self, numbers: NDArray[np.int64]) -> list[str]:
        """Slice the strings of some runs."""
        starts, stops = self.text_offsets[numbers].tolist(), self.text_offsets[numbers + 1].tolist()
        return [self.text[a:b] for a, b in zip(starts, stops, strict=True)]


@dataclass(frozen=True, eq=False)
class PageBlocks(Texts):
    """The blocks of one page as the walk leaves them: a row of numbers each, which `gather` makes columns of.

    Attributes
    ----------
    numbers : int32 ndarray of shape (n, 9)
        The columns of `Blocks` that hold one number a block, in their order.
    holders, named, names
        As in `Blocks`.
    n_elements : int
        Numbers of holders are below it.
    page_id, title, summary, from_dom, parse_loss
        What `Blocks` has a list or an array of.
    """

    numbers: NDArray[np.int32]
    holders: NDArray[np.int32]
    named: NDArray[np.int32]
    names: list[str]
    n_elements: int
    page_id: str = "-"
    title: str = ""
    summary: str = ""
    from_dom: bool = True
    parse_loss: bool = False

    @cached_property
    def alone(self) -> Blocks:
        """The same in columns, as a batch of one page."""
        return gather([self])


@dataclass(frozen=True, eq=False)
class Blocks(Texts):
    """The blocks of a batch of pages, back to back.

    Attributes
    ----------
    page_offsets : int64 ndarray of shape (p + 1,)
    page_ids, titles : list of str, length p
    summaries : list of str, length p
        What the page says of itself in its ``<meta>`` description and keywords.
    from_dom : bool ndarray of shape (p,)
        False for plain text, whose DOM columns mean nothing.
    parse_loss : bool ndarray of shape (p,)
        True where a first reading lost text; the blocks are those of a second one, unless that found no more.
    link_chars, bold_chars, n_links, n_offsite, n_images : int32 ndarray of shape (n,)
        Characters inside ``<a>`` and inside ``<b>``/``<strong>``, links, links to other hosts, images since the
        block before.
    depth : int16 ndarray of shape (n,)
        Elements above the text.
    tag : uint8 ndarray of shape (n,)
        Index into `TAGS`.
    landmarks : int32 ndarray of shape (n,)
        One bit for each of `LANDMARKS` among the ancestors.
    hidden : bool ndarray of shape (n,)
        Hidden by an inline style or attribute of the element or one above it.
    holders : int32 ndarray of shape (n, HOLDER_LEVELS)
        Numbers of the holder and the elements above it, unique in the batch.
    named : int32 ndarray of shape (n, NAMED_LEVELS)
        Index into `names` of the nearest class/id strings, nearest first; -1 where there is none.
    names : list of str
        Distinct ``class id`` strings.
    """

    page_offsets: NDArray[np.int64]
    page_ids: list[str]
    titles: list[str]
    summaries: list[str]
    from_dom: NDArray[np.bool_]
    parse_loss: NDArray[np.bool_]
    link_chars: NDArray[np.int32]
    bold_chars: NDArray[np.int32]
    n_links: NDArray[np.int32]
    n_offsite: NDArray[np.int32]
    n_images: NDArray[np.int32]
    depth: NDArray[np.int16]
    tag: NDArray[np.uint8]
    landmarks: NDArray[np.int32]
    hidden: NDArray[np.bool_]
    holders: NDArray[np.int32]
    named: NDArray[np.int32]
    names: list[str]

    def __post_init__(self) -> None:
        n, pages, texts = len(self), self.page_offsets, self.text_offsets
        if any(len(getattr(self, name)) != n for name in BLOCK_COLUMNS):
            raise ValueError(f"columns of unequal length for {n} blocks")
        if len(pages) != len(self.page_ids) + 1 or (pages.item(0), pages.item(-1)) != (0, n):
            raise ValueError("page offsets do not run from 0 to the number of blocks")
        if (texts.item(0), texts.item(-1)) != (0, len(self.text)):
            raise ValueError("text offsets do not run from 0 to the end of the text")
        if (pages[1:] < pages[:-1]).any() or (texts[1:] <= texts[:-1]).any():
            raise ValueError("offsets go backwards, or a block is empty")

    @cached_property
    def page_index(self) -> NDArray[np.int64]:
        """The page of each block, int64 (n,)."""
        return np.repeat(np.arange(len(self.page_ids)), np.diff(self.page_offsets))


# Columns with one row a block: those of one number, and all.
NUMBERS = ("link_chars", "bold_chars", "n_links", "n_offsite", "n_images", "depth", "tag", "landmarks", "hidden")
BLOCK_COLUMNS = (*NUMBERS, "holders", "named")


def gather(pages: Sequence[PageBlocks]) -> Blocks:
    """Put one or more pages one after another, their rows turned into columns, renumbering what must be unique."""
    numbers = dict(zip(NUMBERS, np.concatenate([page.numbers for page in pages]).T.copy(), strict=True))
    return Blocks(
        text="".join(page.text for page in pages),
        text_offsets=_joined_offsets([page.text_offsets for page in pages]),
        page_offsets=np.array([0, *accumulate(map(len, pages))], np.int64),
        page_ids=[page.page_id for page in pages],
        titles=[page.title for page in pages],
        summaries=[page.summary for page in pages],
        from_dom=np.array([page.from_dom for page in pages], bool),
        parse_loss=np.array([page.parse_loss for page in pages], bool),
        names=list(chain.from_iterable(page.names for page in pages)),
        depth=numbers.pop("depth").astype(np.int16),
        tag=numbers.pop("tag").astype(np.uint8),
        hidden=numbers.pop("hidden").astype(bool),
        holders=_shifted([page.holders for page in pages], [page.n_elements for page in pages]),
        named=_shifted([page.named for page in pages], [len(page.names) for page in pages]),
        **numbers,
    )


def concat(batches: Sequence[Blocks]) -> Blocks:
    """Put one or more batches one after another, renumbering what must be unique."""
    if len(batches) == 1:
        return batches[0]
    columns: dict[str, Any] = {name: np.concatenate([getattr(b, name) for b in batches]) for name in BLOCK_COLUMNS}
    columns["holders"] = _shifted([b.holders for b in batches], [_span(b.holders) for b in batches])
    columns["named"] = _shifted([b.named for b in batches], [len(b.names) for b in batches])
    return Blocks(
        text="".join(b.text for b in batches),
        text_offsets=_joined_offsets([b.text_offsets for b in batches]),
        page_offsets=_joined_offsets([b.page_offsets for b in batches]),
        page_ids=list(chain.from_iterable(b.page_ids for b in batches)),
        titles=list(chain.from_iterable(b.titles for b in batches)),
        summaries=list(chain.from_iterable(b.summaries for b in batches)),
        from_dom=np.concatenate([b.from_dom for b in batches]),
        parse_loss=np.concatenate([b.parse_loss for b in batches]),
        names=list(chain.from_iterable(b.names for b in batches)),
        **columns,
    )


def _span(holders: NDArray[np.int32]) -> int:
    return int(holders.max(initial=-1)) + 1


def _shifted(arrays: Sequence[NDArray[np.int32]], spans: Sequence[int]) -> NDArray[np.int32]:
    """Concatenate index columns; each batch's numbers, which are below its span, move past those before it, -1 stays -1."""
    joined = np.concatenate(arrays)
    start = np.repeat(np.cumsum([0, *spans[:-1]], dtype=np.int32), [array.size for array in arrays])
    return np.add(joined, start.reshape(joined.shape), out=joined, where=joined >= 0)


def _joined_offsets(offsets: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    start = np.cumsum([0, *(o.item(-1) for o in offsets[:-1])])
    sizes = [len(o) - 1 for o in offsets]
    return np.concatenate([[0], np.concatenate([o[1:] for o in offsets]) + np.repeat(start, sizes)])
