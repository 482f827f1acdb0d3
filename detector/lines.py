"""Source lines of blocks, found again in the markup after the fact: the parser keeps none."""

from __future__ import annotations

import re

from detector.blocks import Blocks

KEY_CHARS = 12  # of a block's beginning that are looked for
REACH = 200_000  # characters searched past the block before, so that the whole stays linear in practice
_PLAIN = re.compile(rf"[^\s&<>\"\u00a0\u3000]{{1,{KEY_CHARS}}}")


def block_lines(source: str, blocks: Blocks) -> list[int | None]:
    """Return the line, from 1, on which each block of one page begins in `source`; None where it is not found."""
    lines: list[int | None] = []
    place = _body_start(source) if blocks.from_dom.all() else 0
    line, reach = 1 + source.count("\n", 0, place), REACH
    for text in blocks.texts():
        key = _PLAIN.search(text)
        found = -1
        for size in (KEY_CHARS, 3):
            if found < 0 and key:
                found = source.find(key.group()[:size], place, place + reach)
        if found < 0:
            reach *= 2
            lines.append(None)
            continue
        reach = REACH
        line += source.count("\n", place, found)
        place = found
        lines.append(line)
        place += len(key.group()) if key else 0
    return lines


def _body_start(source: str) -> int:
    match = re.search(r"<body\b", source, re.I)
    return match.start() if match else 0
