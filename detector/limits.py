"""Markup that would take a parser more time than any page is worth, refused before it is parsed.

Parsers need quadratic time for attributes of one tag, for nested elements, for formatting elements that nobody closes
and for the options of a list; some kilobytes will do. The limits are ten times and more what real pages have (500 of them:
15,800 tags, 130 levels, 360 options at most). What is counted here is what the characters look like, not what a parser will
make of them: it stops what goes wrong by accident and the forms of attack that are known. Who takes pages from anybody
judges them in a guarded child, as `filter` does; there the clock ends what gets past.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from detector import compiled
from detector.errors import PageError

MAX_CHARS = 16 << 20  # of a page; the largest real news pages have some 2 million
MAX_TAGS = 200_000
FEW_TAGS = 5_000  # up to which nesting does no harm, if what is opened is closed
MAX_DEPTH = 5_000  # elements inside one another
MAX_UNCLOSED = 1_000  # formatting elements
MAX_REOPENED = 500_000  # times that an unclosed formatting element is opened again, in each paragraph behind it
MAX_OPTIONS = 10_000
MAX_ATTRIBUTES = 10_000  # of one tag
MAX_BLOCKS = 200_000

_NAME = re.compile(r"<(/?)([a-zA-Z][^\s/>]*)")
_VALUE = re.compile(r"""=\s*+(?:"[^"]*+"|'[^']*+'|[^\s>]++)""")
# What a tag does to the nesting, as bits: formatting elements are opened again in each paragraph behind them, flat ones end
# where the next of their kind begins, or at once, and do not stand inside one another, and what is open outside of a cell is not
# opened again in it.
_FORMATTING, _FLAT, _CELL, _OPTION = 1, 2, 4, 8
_KINDS = {
    _FORMATTING: "b big code em font i s small strike strong tt u".split(),
    _FLAT: "html head body p li dt dd tr td th tbody thead tfoot caption colgroup rt rp rb option optgroup a nobr area base br col "
    "embed hr img input link meta param source track wbr keygen basefont bgsound frame".split(),
    _CELL: "td th caption".split(),
    _OPTION: ["option"],
}
_TRAITS = {name: sum(bit for bit in _KINDS if name in _KINDS[bit]) for name in {*chain(*_KINDS.values())}}


def refuse_monsters(html: str) -> None:
    """Raise a PageError if a parser would need too long for a page.

    Raises
    ------
    PageError
        ``too_large``, ``too_many_tags``, ``too_deep`` or ``too_many_attributes``.

    Examples
    --------
    >>> refuse_monsters("<div>" * 6000)
    Traceback (most recent call last):
    detector.errors.PageError: more than 5,000 elements inside one another
    """
    _bound("too_large", len(html), MAX_CHARS, "characters")
    tags, ends = compiled.scan.count_tags(html) if compiled.scan else (html.count("<"), html.count("</"))
    _bound("too_many_tags", tags, MAX_TAGS, "tags")
    if tags > FEW_TAGS or tags - 2 * ends > MAX_UNCLOSED:
        _refuse_nesting(_nesting(html))
    for tag in _long_tags(html):
        _bound("too_many_attributes", _attributes(tag) - 1, MAX_ATTRIBUTES, "attributes of one tag")


def refuse_blocks(number: int) -> None:
    """Raise a PageError (``too_many_blocks``) if the arrays of a page would take the memory of a thousand."""
    _bound("too_many_blocks", number, MAX_BLOCKS, "blocks of text")


def _bound(code: str, number: int, most: int, what: str) -> None:
    if number > most:
        raise PageError(code, f"more than {most:,} {what}")


def _long_tags(html: str) -> Iterator[str]:
    """Yield what stands in long tags: an attribute has two characters, so one of these steps has no end or beginning of a tag."""
    step, stop = MAX_ATTRIBUTES, 0
    for at in range(0, len(html) - step, step):
        if at >= stop and html.find(">", at, at + step) < 0 and html.find("<", at, at + step) < 0:
            start = max(html.rfind("<", stop, at), html.rfind(">", stop, at))
            stop = min(found for found in (html.find("<", at), html.find(">", at), len(html)) if found >= 0)
            if start >= 0 and html[start] == "<" and "a" <= html[start + 1 : start + 2].lower() <= "z":
                yield html[start + 1 : stop]


class _Nesting(NamedTuple):
    """How many options a page has, how often formatting elements are opened again, how many of them are open, and the depth."""

    options: int
    reopened: int
    unclosed: int
    depth: int


def _refuse_nesting(found: _Nesting) -> None:
    _bound("too_many_tags", found.options, MAX_OPTIONS, "options")
    _bound("too_deep", found.depth, MAX_DEPTH, "elements inside one another")
    _bound("too_deep", found.unclosed, MAX_UNCLOSED, "formatting elements that are not closed")
    _bound("too_deep", found.reopened, MAX_REOPENED, "times a formatting element opened again")


def _nesting(html: str) -> _Nesting:
    if compiled.scan and (found := compiled.scan.nesting(html, _TRAITS)):
        return _Nesting(*found)
    opened: Counter[str] = Counter()
    depth = formatting = reopened = options = unclosed = deepest = 0
    for slash, name in _NAME.findall(html):
        traits = _TRAITS.get(name := name.lower(), 0)
        if traits & _CELL:
            formatting = 0
        if not slash:
            options += bool(traits & _OPTION)
            reopened += 0 if traits & _FORMATTING else formatting
        if traits & _FLAT or (slash and not opened[name]):
            continue
        step = -1 if slash else 1
        opened[name] += step
        if traits & _FORMATTING:
            formatting = max(formatting + step, 0)
            unclosed = max(unclosed, formatting)
        else:
            depth += step
            deepest = max(deepest, depth)
    return _Nesting(options, reopened, unclosed, deepest)


def _attributes(inside: str) -> int:
    """Count the name and the attributes of a tag, by the white space and slashes outside of values."""
    return len(_VALUE.sub(" ", inside).replace("/", " ").split())
