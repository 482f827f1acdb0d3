"""Markup to blocks, in one walk.

Lexbor repairs the page as a browser would and writes it out again in canonical form: attributes quoted, ``<`` and
``>`` escaped in text and attributes, end tags in place. That string is then read once, token by token, with a stack.
Where the compiled walk and Lexbor's functions are at hand, its tree is gone through instead, to the same blocks.
A block ends at every start or end of a block-level element, at ``<br>`` and ``<hr>``: old Chinese pages set their
paragraphs with ``<br>`` alone, in a table cell or straight in ``<body>``.
"""

from __future__ import annotations

import re
from array import array
from dataclasses import replace
from functools import lru_cache
from types import ModuleType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from selectolax.lexbor import LexborHTMLParser, LexborNode

from detector import compiled
from detector.blocks import HOLDER_LEVELS, LANDMARK_BIT, NAMED_LEVELS, TAG_INDEX, Blocks
from detector.chars import count_han
from detector.reread import MIN_LOST, has_lost_text, may_have_lost_text, may_hold_documents, without_traps

# Elements whose text is never read by a visitor, or is a form's own noise.
MAX_META = 64  # elements of a page that are read for its description
NOISE = ("script", "style", "template", "select", "textarea", "svg", "math", "datalist", "iframe", "noembed", "xmp",
         "canvas", "head")  # fmt: skip
INLINE = frozenset((
    "a abbr acronym b bdi bdo big cite code del dfn em font i ins kbd label mark nobr q s samp small span "
    "strike strong sub sup time tt u var ruby rb rt rp wbr img input button object embed param map area "
    "picture source audio video track noscript base basefont output meter progress data slot o:p "
    "st1:chsdate x-span"
).split())  # fmt: skip
VOID = frozenset((
    "area base br col embed hr img input link meta param source track wbr keygen basefont bgsound frame"
).split())  # fmt: skip
BREAKING_VOID = frozenset(("br", "hr"))
BOLD = frozenset(("b", "strong"))

_TOKEN = re.compile(r"<(?:!--.*?(?:-->|\Z)|[!?]([^>]*)>|(/?)([^\s>]+)([^>]*)>)([^<]*)", re.S)
_ATTRIBUTE = re.compile(r'\s([^\s=]+)(?:="([^"]*)")?')
_HIDDEN_STYLE = re.compile(
    r"display:none|visibility:hidden|text-indent:-\d{3,}|font-size:0(?:px|pt|em|%)?(?:;|$)|opacity:0?\.?0*(?:;|$)"
    r"|(?:left|top|right|bottom|margin-left|margin-top):-\d{3,}|clip:rect\(0"
    r"|(?:^|;)(?:max-)?height:[01](?:px)?(?:;|$)|(?:^|;)width:[01](?:px)?(?:;|$)"
)
_HOST = re.compile(r"(?:https?:)?//([^/?#:]+)", re.I)
_WIDTH = 9 + HOLDER_LEVELS + NAMED_LEVELS  # numbers of a block
_LANDMARK_TAGS = frozenset(LANDMARK_BIT)
# Their text is no markup, and yet the walk over markup reads it as such; it is taken out where it shows nothing.
_LITERAL = frozenset(("noframes", "plaintext"))
_BARE = re.compile(r"(?:[ \t\n\f\r]|<[^>]*>)*")
_ENTITIES = (("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&"))


class _Element(NamedTuple):
    """What the blocks inside an element inherit; a child starts from its parent's values."""

    tag: str
    holders: tuple[int, ...]
    named: tuple[int, ...]
    landmarks: int
    depth: int
    hidden: bool
    links: int  # how many <a> are open
    bold: bool
    tag_index: int


_ROOT = _Element("", (0,) * HOLDER_LEVELS, (-1,) * NAMED_LEVELS, 0, 0, False, 0, False, 0)


def segment(html: str, *, page_id: str = "-", host: str = "") -> Blocks:
    """Split one page of markup into blocks.

    Parameters
    ----------
    html : str
        Decoded markup.
    host : str
        The page's own host name, to tell links that leave it; '' where it is not known.

    Returns
    -------
    Blocks
        With one page; no blocks when the page shows no text. Where a first reading lost text, they are those of a second one
        (see `reread`).
    """
    host = host.removeprefix("www.")
    first = _read(html, host)
    blocks = _as_blocks(first, page_id)
    if not first.has_lost_text and not may_hold_documents(html):
        return blocks
    again = _as_blocks(_read(without_traps(html), host), page_id)
    more = _says_more(again, blocks)
    return replace(again if more else blocks, parse_loss=np.array([first.has_lost_text or more]))


def _says_more(one: Blocks, other: Blocks) -> bool:
    return count_han(one.text) - count_han(other.text) >= MIN_LOST


class _Reading(NamedTuple):
    """What one reading of a page brings home: all text, where its blocks begin and end, a row of numbers for each, and the names."""

    text: str
    offsets: NDArray[np.int64]
    rows: NDArray[np.int32]
    names: list[str]
    title: str = ""
    summary: str = ""
    has_lost_text: bool = False


def _read(html: str, host: str) -> _Reading:
    return (_read_tree(compiled.walk, html, host) if compiled.walk else None) or _read_markup(html, host)


def _read_tree(walk: ModuleType, html: str, host: str) -> _Reading | None:
    """Walk a page's tree in C; None for the rare page whose markup would be read in another way."""
    page = walk.Page(html, _traits(), host, _hides, _leaves)
    found = page.blocks()
    if found is None:
        return None
    text, offsets, rows, names = found
    lost = may_have_lost_text(html, page.han, page.ending()) and has_lost_text(html, page.markup())
    summary = _stated(page.metas[: page.in_head]) or _stated(page.metas)
    columns = np.frombuffer(offsets, np.int64), np.frombuffer(rows, np.int32)
    return _Reading(text, *columns, names, fold(page.title or ""), summary, lost)


def _read_markup(html: str, host: str) -> _Reading:
    parser = LexborHTMLParser(html)
    lost = has_lost_text(html, parser.html or "")
    title, summary = _title(parser), _summary(parser)
    return _walk(_without_noise(parser), host)._replace(title=title, summary=summary, has_lost_text=lost)


def _without_noise(parser: LexborHTMLParser) -> str:
    parser.strip_tags(list(NOISE))
    for node in parser.css(", ".join(_LITERAL)):
        if _BARE.fullmatch(node.text()):
            node.decompose()
    return parser.html or ""


def markup_tokens(html: str) -> list[tuple[str, str, str, str, str]]:
    """Return what `segment` reads of a page: (declaration, slash, tag, attributes, text behind the tag) of each token."""
    return _TOKEN.findall(_without_noise(LexborHTMLParser(html)))


def _walk(canonical: str, host: str) -> _Reading:
    walk = _Walk(host)
    stack = [_ROOT]
    for _, slash, tag, attributes, text in _TOKEN.findall(canonical):
        if tag:
            if slash:
                walk.close(stack, tag)
            else:
                walk.open(stack, tag, attributes)
        if text:
            walk.add(text, stack[-1])
    walk.flush()
    return walk.reading()


@lru_cache(maxsize=1)
def _traits() -> dict[str, int]:
    """What the compiled walk needs to know of a tag, as bits (see there); a tag that is not in it is a plain element."""
    tags = {*INLINE, *VOID, *NOISE, *_LITERAL, *TAG_INDEX, *LANDMARK_BIT, "title"}
    return {
        tag: (tag in VOID) | (tag in BREAKING_VOID) << 1 | (tag == "img") << 2 | (tag in INLINE) << 3 | (tag == "a") << 4
        | (tag in BOLD) << 5 | (tag in NOISE) << 6 | (tag == "title") << 7 | (tag in _LITERAL) << 13 | (tag == "meta") << 14
        | (tag == "svg") << 15 | TAG_INDEX.get(tag, 0) << 8 | LANDMARK_BIT.get(tag, 0) << 16
        for tag in tags
    }  # fmt: skip


def segment_text(text: str, *, page_id: str = "-", title: str = "") -> Blocks:
    """Split plain text into blocks, one a line that is not blank; what only a DOM can tell stays empty."""
    walk = _Walk("")
    title = fold(title)
    element = _ROOT._replace(tag_index=TAG_INDEX["line"])
    for line in text.splitlines():
        walk.add(line.replace("&", "&amp;"), element)
        walk.flush()
    return _as_blocks(walk.reading()._replace(title=title), page_id, from_dom=False)


def _as_blocks(reading: _Reading, page_id: str, from_dom: bool = True) -> Blocks:
    rows = reading.rows.reshape(-1, _WIDTH)
    columns = rows[:, :9].T.copy()
    return Blocks(
        text=reading.text,
        text_offsets=reading.offsets,
        page_offsets=np.array([0, len(rows)], np.int64),
        page_ids=[page_id],
        titles=[reading.title],
        summaries=[reading.summary],
        from_dom=np.array([from_dom]),
        parse_loss=np.array([False]),
        link_chars=columns[0],
        bold_chars=columns[1],
        n_links=columns[2],
        n_offsite=columns[3],
        n_images=columns[4],
        depth=columns[5].astype(np.int16),
        tag=columns[6].astype(np.uint8),
        landmarks=columns[7],
        hidden=columns[8].astype(bool),
        holders=rows[:, 9 : 9 + HOLDER_LEVELS].copy(),
        named=rows[:, 9 + HOLDER_LEVELS :].copy(),
        names=reading.names,
    )


def _title(parser: LexborHTMLParser) -> str:
    node = parser.css_first("title")
    if node is not None and node.parent is not None and node.parent.tag == "svg":
        node = parser.css_first(":not(svg) > title")
    return fold(node.text()) if node is not None else ""


def _summary(parser: LexborHTMLParser) -> str:
    """Return what the page says of itself to search engines; where its head says nothing, a broken page may say it elsewhere."""
    head = parser.head
    return (_stated(_metas(head)) if head is not None else "") or _stated(_metas(parser))


def _metas(of: LexborHTMLParser | LexborNode) -> list[tuple[str, str]]:
    """Return name and content of the elements that have both; of a page with thousands of them, of the first few."""
    found = (node.attributes for node in of.css("meta[name][content]")[:MAX_META])
    return [(attributes.get("name") or "", attributes.get("content") or "") for attributes in found]


def _stated(metas: list[tuple[str, str]]) -> str:
    """Join descriptions and keywords."""
    said = [fold(content) for name, content in metas if name.strip().lower() in ("description", "keywords")]
    return " ".join(filter(None, said))


def fold(text: str) -> str:
    """Fold runs of white space (no-break and ideographic space too) to one space, and strip."""
    return " ".join(text.split())


class _Walk:
    """The columns of one page while they grow. Scalars go to typed arrays: no object a block is kept."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.pieces: list[str] = []
        self.first: _Element | None = None
        self.counts = [0, 0, 0, 0, 0]  # link_chars, bold_chars, n_links, n_offsite, n_images
        self.images = 0
        self.elements = 0
        self.names: dict[str, int] = {}
        self.texts: list[str] = []
        self.rows = array("i")

    def open(self, stack: list[_Element], tag: str, attributes: str) -> None:
        if tag in VOID:
            if tag in BREAKING_VOID:
                self.flush()
            elif tag == "img":
                self.images += 1
            return
        parent = stack[-1]
        inline = tag in INLINE
        if not inline:
            self.flush(parent.links)
        found = _read_attributes(attributes) if attributes else _NO_ATTRIBUTES
        if tag == "a":
            self._count_link(found.href)
        stack.append(self._child(parent, tag, found, inline))

    def _child(self, parent: _Element, tag: str, found: _Attributes, inline: bool) -> _Element:
        holders, tag_index = parent.holders, parent.tag_index
        if not inline:
            self.elements += 1
            holders = (self.elements, *holders[:-1])
            tag_index = TAG_INDEX.get(tag, 0)
        named = parent.named
        if found.names:
            number = self.names.setdefault(found.names, len(self.names))
            named = (number, *named[:-1])
        landmarks = parent.landmarks | LANDMARK_BIT[tag] if tag in _LANDMARK_TAGS else parent.landmarks
        hidden = parent.hidden or found.hidden
        links = parent.links + (tag == "a")
        bold = parent.bold or tag in BOLD
        return _Element(tag, holders, named, landmarks, parent.depth + 1, hidden, links, bold, tag_index)

    def close(self, stack: list[_Element], tag: str) -> None:
        if tag not in INLINE:
            self.flush(stack[-1].links)
        if len(stack) > 1:
            stack.pop()

    def _count_link(self, href: str) -> None:
        self.counts[2] += 1
        if self.host and _leaves(href, self.host):
            self.counts[3] += 1

    def add(self, text: str, element: _Element) -> None:
        """Take a run of text. The first one that shows anything decides what the block inherits."""
        if "&" in text:
            for entity, character in _ENTITIES:
                text = text.replace(entity, character)
        if text.isspace():
            if self.pieces:
                self.pieces.append(" ")
            return
        if self.first is None or (self.first.links and not element.links):
            self.first = element  # text beside a link tells more of the block than the link
        self.pieces.append(text)
        if element.links:
            self.counts[0] += len(text.strip())
        if element.bold:
            self.counts[1] += len(text.strip())

    def flush(self, open_links: int = 0) -> None:
        """End the block."""
        if self.first is not None:
            text = fold("".join(self.pieces))
            if text:
                self._append(text, self.first)
        elif self.counts[2] and not open_links:
            self.counts[2] = self.counts[3] = 0  # links around images only
        self.pieces = []
        self.first = None

    def _append(self, text: str, element: _Element) -> None:
        self.texts.append(text)
        link_chars, bold_chars, n_links, n_offsite, _ = self.counts
        size = len(text)
        row = (min(link_chars, size), min(bold_chars, size), n_links, n_offsite, self.images, min(element.depth, 32767))
        self.rows.extend(row)
        self.rows.extend((element.tag_index, element.landmarks, element.hidden))
        self.rows.extend(element.holders)
        self.rows.extend(element.named)
        self.counts = [0, 0, 0, 0, 0]
        self.images = 0

    def reading(self) -> _Reading:
        offsets = np.cumsum(np.array([0, *map(len, self.texts)], np.int64))
        return _Reading("".join(self.texts), offsets, np.array(self.rows, np.int32), list(self.names))


class _Attributes(NamedTuple):
    names: str
    hidden: bool
    href: str


_NO_ATTRIBUTES = _Attributes("", False, "")


@lru_cache(maxsize=8192)
def _read_attributes(attributes: str) -> _Attributes:
    """Attribute strings recur by the hundred on a page, so each is read once."""
    names, hidden, href = [], False, ""
    for name, value in _ATTRIBUTE.findall(attributes):
        if name in ("class", "id"):
            names.append(value)
        elif name == "href":
            href = value
        elif name == "style":
            hidden = hidden or _hides(value)
        elif name == "height":
            hidden = hidden or value in ("0", "1")
        elif name == "hidden" or (name == "aria-hidden" and value == "true"):
            hidden = True
    return _Attributes(fold(" ".join(names).lower()), hidden, href)


@lru_cache(maxsize=8192)
def _hides(style: str) -> bool:
    """Whether an inline style hides what it is given to."""
    return bool(_HIDDEN_STYLE.search("".join(style.split()).lower().replace("!important", "")))


def _leaves(href: str, host: str) -> bool:
    """Whether a link leads away from `host` and what is below it."""
    match = _HOST.match(href)
    return match is not None and not f".{match.group(1).lower()}".endswith(f".{host}")
