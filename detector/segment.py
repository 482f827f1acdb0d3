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
from selectolax.lexbor import LexborHTMLParser, LexborNode

from detector import compiled
from detector.blocks import HOLDER_LEVELS, LANDMARK_BIT, NAMED_LEVELS, NUMBERS, TAG_INDEX, Blocks, PageBlocks, Texts
from detector.chars import count_han
from detector.reread import MIN_LOST, has_documents, has_lost_text, may_have_lost_text, without_traps

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
_WIDTHS = (len(NUMBERS), HOLDER_LEVELS, NAMED_LEVELS)  # of the rows that the walk makes of a block
_HOST = re.compile(r"(?:https?:)?//([^/?#:]+)", re.I)
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
    """Split one page of markup into blocks; see `segment_html`."""
    return segment_html(html, page_id=page_id, host=host).alone


def segment_html(html: str, *, page_id: str = "-", host: str = "") -> PageBlocks:
    """Split one page of markup into blocks, still in rows.

    Parameters
    ----------
    html : str
        Decoded markup.
    host : str
        The page's own host name, to tell links that leave it; '' where it is not known.

    Returns
    -------
    PageBlocks
        No blocks when the page shows no text. Where a first reading lost text, they are those of a second one (see `reread`).
    """
    host = host.removeprefix("www.")
    blocks, may_hold = _read(html, host, page_id)
    if not blocks.parse_loss and not (may_hold and has_documents(html)):
        return blocks
    again, _ = _read(without_traps(html), host, page_id)
    more = count_han(again.text) - count_han(blocks.text) >= MIN_LOST
    return replace(again if more else blocks, parse_loss=blocks.parse_loss or more)


def _read(html: str, host: str, page_id: str) -> tuple[PageBlocks, bool]:
    """Return the blocks, and whether the page may hold documents of their own."""
    found = _read_tree(compiled.walk, html, host, page_id) if compiled.walk else None
    return found or (_read_markup(html, host, page_id), True)


def _read_tree(walk: ModuleType, html: str, host: str, page_id: str = "-") -> tuple[PageBlocks, bool] | None:
    """Walk a page's tree in C; None for the rare page whose markup would be read in another way."""
    page = walk.Page(html, _traits(), host, _hides, _leaves)
    found = page.blocks()
    if found is None:
        return None
    text, offsets, *rows, names, n_elements = found
    numbers, holders, named = (
        np.frombuffer(one, np.int32).reshape(-1, w) for one, w in zip(rows, _WIDTHS, strict=True)
    )
    lost = may_have_lost_text(html, page.han_before - page.han, page.ending()) and has_lost_text(html, page.markup())
    summary = _stated(page.metas[: page.in_head]) or _stated(page.metas)
    blocks = PageBlocks(
        text, np.frombuffer(offsets, np.int64), numbers, holders, named, names, n_elements, page_id,
        title=fold(page.title or ""), summary=summary, parse_loss=lost,
    )  # fmt: skip
    return blocks, page.may_hold_documents


def _read_markup(html: str, host: str, page_id: str) -> PageBlocks:
    parser = LexborHTMLParser(html)
    lost = has_lost_text(html, parser.html or "")
    title, summary = _title(parser), _summary(parser)
    found = _walk(_without_noise(parser), host)
    return replace(found, page_id=page_id, title=title, summary=summary, parse_loss=lost)


def _without_noise(parser: LexborHTMLParser) -> str:
    parser.strip_tags(list(NOISE))
    for node in parser.css(", ".join(_LITERAL)):
        if _BARE.fullmatch(node.text()):
            node.decompose()
    return parser.html or ""


def markup_tokens(html: str) -> list[tuple[str, str, str, str, str]]:
    """Return what `segment` reads of a page: (declaration, slash, tag, attributes, text behind the tag) of each token."""
    return _TOKEN.findall(_without_noise(LexborHTMLParser(html)))


def _walk(canonical: str, host: str) -> PageBlocks:
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
    return walk.blocks()


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
    """Split plain text into blocks; see `segment_lines`."""
    return segment_lines(text, page_id=page_id, title=title).alone


def segment_lines(text: str, *, page_id: str = "-", title: str = "") -> PageBlocks:
    """Split plain text into blocks, one a line that is not blank; what only a DOM can tell stays empty."""
    walk = _Walk("")
    element = _ROOT._replace(tag_index=TAG_INDEX["line"])
    for line in text.splitlines():
        walk.add(line.replace("&", "&amp;"), element)
        walk.flush()
    return replace(walk.blocks(), page_id=page_id, title=fold(title), from_dom=False)


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

    def blocks(self) -> PageBlocks:
        joined, names = Texts.of(self.texts), list(self.names)
        rows = np.array(self.rows, np.int32).reshape(-1, sum(_WIDTHS))
        numbers, holders, named = np.split(rows, np.cumsum(_WIDTHS)[:-1], axis=1)
        return PageBlocks(joined.text, joined.text_offsets, numbers, holders, named, names, self.elements + 1)


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
