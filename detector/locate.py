"""From a string of a page back to the place where it stands in the file.

What a page says has been decoded, unescaped, freed of its tags and folded. Each of these steps is undone by a list of
places: ``places[i]`` is where character ``i`` of the later text stands in the earlier one, and the last entry is its end.
"""

from __future__ import annotations

import html
import re
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from json import JSONDecoder
from typing import Any, NamedTuple

Places = Sequence[int]
SKIPPED = "script|style|template|select|textarea|svg|math|datalist|iframe|noembed|xmp|canvas|head"

_UNIT = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|[^\\]", re.S)
_SPACE = re.compile(r"[ \t\r\n]*")
_WORD = re.compile(r"\S+")
_MARKUP = re.compile(
    rf"(?P<gap><!--(?:.*?-->|.*)|<(?P<tag>{SKIPPED})\b(?:.*?</(?P=tag)\s*>|.*)|</?[a-zA-Z!?][^<>]*>)"
    r"|(?P<entity>&#?\w{1,32};?)|(?P<space>\s+)|(?P<text>[^<&\s]+|.)",
    re.S | re.I,
)
_DECODER = JSONDecoder()


class Source(NamedTuple):
    """The text of a file, or of the line of a record, and where a page's body and title stand in it.

    An empty list of places says that it is not known.
    """

    text: str
    body: Places
    title: Places


def string_literals(line: str) -> dict[str, tuple[int, int, str]]:
    r"""Return the strings of the object in a line of JSON: (start, end) of what is between the quotes, and the value.

    Examples
    --------
    >>> string_literals('{"id": 7, "text": "新\\u95fb"}')
    {'text': (19, 26, '新闻')}
    """
    found: dict[str, tuple[int, int, str]] = {}
    for key, start, end, value in _members(line):
        found.pop(key, None)  # of a key that stands twice the last one holds
        if isinstance(value, str):
            found[key] = (start + 1, end - 1, value)
    return found


def _members(line: str) -> Iterator[tuple[str, int, int, Any]]:
    place = _after_space(line, line.index("{") + 1)
    while line[place] != "}":
        key, place = _DECODER.raw_decode(line, place)
        start = _after_space(line, _after_space(line, place) + 1)
        value, place = _DECODER.raw_decode(line, start)
        yield key, start, place, value
        place = _after_space(line, place)
        if line[place] == ",":
            place = _after_space(line, place + 1)


def _after_space(line: str, place: int) -> int:
    match = _SPACE.match(line, place)
    return match.end() if match else place


def literal_places(line: str, start: int, end: int) -> Places:
    """Return where each character of a JSON string stands; an escaped surrogate pair is one character."""
    places = array("i", (unit.start() for unit in _UNIT.finditer(line, start, end)))
    places.append(end)
    return places


def fold_places(text: str) -> Places:
    r"""Return where each character of ``" ".join(text.split())`` stands in `text`.

    Examples
    --------
    >>> fold_places("  甲乙\t 丙")
    [2, 3, 5, 6, 7]
    """
    places: list[int] = []
    for word in _WORD.finditer(text):
        if places:
            places.append(word.start() - 1)
        places.extend(range(word.start(), word.end()))
    return [*places, places[-1] + 1 if places else 0]


class LineBounds(NamedTuple):
    """A line of plain text, and what is to be cut so that nothing is left of it."""

    start: int
    stop: int
    cut: tuple[int, int]


def line_bounds(text: str) -> list[LineBounds]:
    """Return the bounds of the lines that are not blank: the blocks of plain text.

    A line goes with its ending; in a text that ends without one, with the ending before it, so that it still does.
    """
    bounds, place, before = [], 0, 0
    closed = bool(text) and text[-1:].splitlines() != [text[-1:]]
    for line, whole in zip(text.splitlines(), text.splitlines(keepends=True), strict=True):
        stop = place + len(line)
        if line and not line.isspace():
            cut = (place, place + len(whole)) if closed or not place else (place - before, stop)
            bounds.append(LineBounds(place, stop, cut))
        before = len(whole) - len(line)
        place += len(whole)
    return bounds


def shown_text(markup: str) -> tuple[str, Places]:
    """Return what markup shows, tags and comments taken out, entities read and white space folded, and its places."""
    pieces: list[str] = []
    places = array("i")
    spaced = True
    for match in _MARKUP.finditer(markup):
        if match["gap"]:
            continue
        said = html.unescape(match.group()) if match["entity"] else match.group()
        if said.isspace():
            if not spaced:
                pieces.append(" ")
                places.append(match.start())
            spaced = True
            continue
        spaced = False
        pieces.append(said)
        places.extend([match.start()] * len(said) if match["entity"] else range(match.start(), match.end()))
    places.append(len(markup))
    return "".join(pieces), places


def find_blocks(shown: str, blocks: Sequence[str]) -> list[int | None]:
    """Return where each block begins in what its page shows, one after another; None where it is not found."""
    found: list[int | None] = []
    place, misses = 0, 0
    for block in blocks:
        at = shown.find(block, place, place + REACH + len(block)) if misses < MAX_MISSES else -1
        found.append(at if at >= 0 else None)
        place, misses = (at + len(block), 0) if at >= 0 else (place, misses + 1)
    return found


REACH = 1 << 16  # characters past the block before in which the next one is looked for
MAX_MISSES = 200  # in a row, after which the rest is not looked for


class Position(NamedTuple):
    """A stretch of a file; lines and columns from 1, in code points."""

    line: int
    column: int
    end_line: int
    end_column: int


def line_starts(text: str) -> list[int]:
    """Return where the lines of a text begin; a line ends with a line feed, as Git counts."""
    return [0, *(match.end() for match in re.finditer("\n", text))]


def position(starts: list[int], first_line: int, start: int, stop: int) -> Position:
    r"""Return the lines and columns of a stretch.

    Examples
    --------
    >>> position(line_starts("一\n二三"), 1, 3, 4)
    Position(line=2, column=2, end_line=2, end_column=3)
    """
    row, last = bisect_right(starts, start) - 1, bisect_right(starts, stop) - 1
    if last > row and starts[last] == stop:  # the end of a line is a place of that line
        last -= 1
    return Position(first_line + row, start - starts[row] + 1, first_line + last, stop - starts[last] + 1)
