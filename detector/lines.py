"""Source lines of blocks, found again in the markup after the fact: the parser keeps none."""

from __future__ import annotations

import re

from detector.blocks import Blocks

KEY_CHARS = (12, 3)  # of a block's beginning that are looked for; the longer first
REACH, MAX_REACH = 1 << 18, 1 << 20  # characters searched past the block before; doubled after a miss
MAX_MISSES = 200  # in a row, after which the rest of a page is not looked for
_PLAIN = re.compile(rf"[^\s&<>\"\u00a0\u3000]{{1,{KEY_CHARS[0]}}}")
_TAG = re.compile(r"<[^<>]*>")


def block_lines(source: str, blocks: Blocks) -> list[int | None]:
    """Return the line, from 1, on which each block of one page begins in `source`; None where it is not found."""
    lines: list[int | None] = []
    start = _body_start(source) if blocks.from_dom.all() else 0
    shown = _TAG.sub(lambda tag: "\n" * tag.group().count("\n"), source[start:]) if blocks.from_dom.all() else source
    place, line, reach, misses = 0, 1 + source.count("\n", 0, start), REACH, 0
    for text in blocks.texts():
        key = _PLAIN.search(text)
        found = _find(shown, key.group(), place, reach) if key and misses < MAX_MISSES else -1
        if found < 0:
            reach, misses = min(2 * reach, MAX_REACH), misses + 1
            lines.append(None)
            continue
        line += shown.count("\n", place, found)
        lines.append(line)
        place, reach, misses = found + 1, REACH, 0
    return lines


def _find(shown: str, key: str, place: int, reach: int) -> int:
    places = (shown.find(key[:size], place, place + reach) for size in KEY_CHARS)
    return next((at for at in places if at >= 0), -1)


def _body_start(source: str) -> int:
    match = re.search(r"<body\b", source, re.I)
    return match.start() if match else 0
