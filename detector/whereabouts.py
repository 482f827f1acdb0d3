"""Where the blocks and injected strings of a judged page stand in its file."""

from __future__ import annotations

import re
from functools import cached_property

from detector.lines import block_lines
from detector.locate import (
    LineBounds,
    Places,
    Position,
    Source,
    find_blocks,
    fold_places,
    line_bounds,
    line_starts,
    literal_places,
    position,
    shown_text,
    string_literals,
)  # fmt: skip
from detector.pipeline import TITLE, PageVerdict, Span
from detector.readers import Fields, text_of_line

Bounds = tuple[int, int]
Line = tuple[int, bytes]  # of a file of records: its number, from 1, and the line as it stands

_TITLE = re.compile(r"<title\b[^<>]*>([^<]*)", re.I)
_META = re.compile(r"<meta\b[^<>]*", re.I)


class Whereabouts:
    """The places of one page's strings, in its file or, for a record, in its line; worked out when they are asked for.

    Parameters
    ----------
    line : tuple of int and bytes, optional
        The line of a record; None for a page that is a whole file.
    kind : str or None
        What the file is, a key of `readers.READERS`.
    """

    def __init__(self, page: PageVerdict, line: Line | None, fields: Fields, kind: str | None) -> None:
        self.page = page
        self.line = line
        self.fields = fields
        self.kind = kind
        self.texts = page.arrays.texts() if page.arrays else []
        self.value = page.decoded.text if page.decoded else ""
        self.plain = page.page.media_type == "text/plain"

    @property
    def first_line(self) -> int:
        """The line of the file in which the source begins."""
        return self.line[0] if self.line else 1

    @cached_property
    def source(self) -> Source:
        """The text in which places are counted."""
        return _source_of(self.page, self.line, self.fields, self.kind)

    def position(self, bounds: Bounds | None) -> Position:
        """Return lines and columns; the beginning of the source for what is not known."""
        return position(self._starts, self.first_line, *(bounds or (0, 0)))

    def of_span(self, span: Span, text: str) -> Bounds | None:
        """Return where an injected string stands in the source; None where that is not known."""
        if span.block >= 0:
            return self.of_block(span.block, span.start, span.end)
        if self.plain:
            return _inside(self.source.title, fold_places(self.page.page.title), span.start, span.end)
        return self._in_file(_in_title(self.value, text, span) or _in_meta(self.value, text))

    def of_block(self, i: int, start: int = 0, end: int | None = None) -> Bounds | None:
        """Return where a string of a block, or all of it, stands in the source; None where that is not known."""
        end = len(self.texts[i]) if end is None else end
        return self._in_file(self._plain_bounds(i, start, end) if self.plain else self._shown_bounds(i, start, end))

    def _in_file(self, bounds: Bounds | None) -> Bounds | None:
        places = self.source.body
        return (places[bounds[0]], places[bounds[1]]) if bounds and places else None

    @cached_property
    def _lines(self) -> list[LineBounds]:
        lines = line_bounds(self.value)
        return lines if len(lines) == len(self.texts) else []

    def _plain_bounds(self, i: int, start: int, end: int) -> Bounds | None:
        if not self._lines:
            return None
        line = self._lines[i]
        places = fold_places(self.value[line.start : line.stop])
        return line.start + places[start], line.start + places[end - 1] + 1

    def of_line(self, i: int) -> Bounds | None:
        """Return what is to be cut so that nothing is left of a block that is a line; None in markup."""
        return self._in_file(self._lines[i].cut) if self.plain and self._lines else None

    @cached_property
    def _shown(self) -> tuple[Places, list[int | None]]:
        text, places = shown_text(self.value)
        return places, find_blocks(text, self.texts)

    @cached_property
    def _block_lines(self) -> list[int | None]:
        assert self.page.arrays is not None
        return block_lines(self.value, self.page.arrays)

    def _shown_bounds(self, i: int, start: int, end: int) -> Bounds | None:
        """Return where a string stands in markup; where it is not found, the beginning of its block's line."""
        places, found = self._shown
        first = found[i]
        if first is not None:
            return places[first + start], _end_in_markup(self.value, places[first + end - 1])
        line = self._block_lines[i]
        if line is None:
            return None
        begin = line_starts(self.value)[line - 1]
        return begin, begin

    @cached_property
    def _starts(self) -> list[int]:
        return line_starts(self.source.text)


def _source_of(page: PageVerdict, line: Line | None, fields: Fields, kind: str | None) -> Source:
    if line is not None:
        return _source_of_record(page, line[1], fields)
    if page.decoded is None or kind not in ("html", "text"):
        return Source("", (), ())
    return Source(page.decoded.text, range(len(page.decoded.text) + 1), ())


def _source_of_record(page: PageVerdict, line: bytes, fields: Fields) -> Source:
    if page.decoded is None:
        return Source("", (), ())
    text = text_of_line(line)
    literals = string_literals(text)
    body: Places = ()
    for name in (*fields.html, *fields.text):
        if name in literals and literals[name][2] == page.page.body:
            start, end, value = literals[name]
            skipped = len(value) - len(value.lstrip("\ufeff"))
            body = literal_places(text, start, end)[skipped:]
            break
    if len(body) != len(page.decoded.text) + 1:
        body = ()
    title = literal_places(text, *literals["title"][:2]) if page.page.title and "title" in literals else ()
    return Source(text, body, title)


_ENTITY = re.compile(r"&#?\w{1,32};?")


def _end_in_markup(markup: str, place: int) -> int:
    entity = _ENTITY.match(markup, place)
    return entity.end() if entity else place + 1


def _inside(outer: Places, inner: Places, start: int, end: int) -> Bounds | None:
    """Bring a stretch of folded text to where it stands; None where it is not known."""
    return (outer[inner[start]], outer[inner[end - 1] + 1]) if len(outer) and end < len(inner) else None


def _in_title(markup: str, text: str, span: Span) -> Bounds | None:
    title = _TITLE.search(markup) if span.block == TITLE else None
    if not title:
        return None
    shown_title, places = shown_text(title[1])
    at = shown_title.find(text)
    return (title.start(1) + places[at], title.start(1) + places[at + len(text) - 1] + 1) if at >= 0 else None


def _in_meta(markup: str, text: str) -> Bounds | None:
    for meta in _META.finditer(markup):
        at = meta.group().find(text)
        if at >= 0:
            return meta.start() + at, meta.start() + at + len(text)
    return None
