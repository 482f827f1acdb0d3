"""What the characters of a block are: the shallow text features of Kohlschütter et al. (WSDM 2010), for Chinese."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from detector import compiled
from detector.arrays import Bools, Floats, Ints, side_by_side
from detector.blocks import Blocks
from detector.chars import is_any_of

# Classes of characters. STOP ends a sentence, PAUSE stands inside one; both are rare outside running text.
HAN, LATIN, DIGIT, STOP, PAUSE, QUOTE, SEPARATOR, OPEN, OTHER = range(9)
N_CLASSES = 9

NAMES = (
    "log_chars", "han_share", "latin_share", "digit_share", "stop_share", "pause_share", "quote_share",
    "separator_share", "log_stops", "log_pauses", "ends_with_stop", "ends_with_colon", "starts_bracket", "has_date",
    "has_clock", "space_share",
)  # fmt: skip

_SETS = {
    STOP: "。！？!?；;…",
    PAUSE: "，、,",
    QUOTE: '“”‘’「」『』《》〈〉"',
    SEPARATOR: "|｜>»<«·•・/\\-—_=+*#■□◆●○▲△▼★☆→←↑↓→►▶∣┊┆│",
    OPEN: "[【(（「『〔[{",
}


@lru_cache(maxsize=1)
def char_classes() -> Ints:
    """Table of the class of every code point of the BMP, uint8 (65536,); anything above counts as Han."""
    table = np.full(65536, OTHER, np.uint8)
    for first, last in ((0x3400, 0x9FFF), (0xF900, 0xFAFF), (0x3007, 0x3007)):
        table[first : last + 1] = HAN
    for letters in ("az", "AZ", "ａｚ", "ＡＺ"):
        table[ord(letters[0]) : ord(letters[1]) + 1] = LATIN
    for digits in ("09", "０９"):
        table[ord(digits[0]) : ord(digits[1]) + 1] = DIGIT
    for number, characters in _SETS.items():
        for character in characters:
            table[ord(character)] = number
    return table


def classify(codes: Ints) -> Ints:
    """Return the class of each code point, uint8 (n_chars,)."""
    table = char_classes()
    if codes.size and int(codes.max()) > 0xFFFF:
        return np.where(codes > 0xFFFF, np.uint8(HAN), table[np.minimum(codes, 0xFFFF)])
    return table[codes]


def class_counts(blocks: Blocks, classes: Ints) -> Floats:
    """Count the characters of each class in each block, float32 (n, N_CLASSES)."""
    block = np.repeat(np.arange(len(blocks)), blocks.n_chars)
    counts = np.bincount(block * N_CLASSES + classes, minlength=len(blocks) * N_CLASSES)
    return counts.reshape(-1, N_CLASSES).astype(np.float32)


def columns(blocks: Blocks) -> Floats:
    """Return float32 (n, len(NAMES)); shares in [0, 1], logs are ``log(1 + count)``."""
    codes, counted = blocks.codes, count(blocks)
    size = blocks.n_chars.astype(np.float32)
    last = codes[blocks.text_offsets[1:] - 1]
    first = classify(codes[blocks.text_offsets[:-1]])
    share = counted.classes / size
    out = [
        np.log1p(size), share[HAN], share[LATIN], share[DIGIT], share[STOP], share[PAUSE],
        share[QUOTE], share[SEPARATOR], np.log1p(counted.classes[STOP]), np.log1p(counted.classes[PAUSE]),
        is_any_of(last, "。！？!?…”」』；;"), is_any_of(last, ":："), first == OPEN,
        counted.date, counted.clock, counted.spaces / size,
    ]  # fmt: skip
    return side_by_side(out)


class Counts(NamedTuple):
    """What there is in each block: characters of each class, float32 (N_CLASSES, n), spaces, and whether a date or a clock."""

    classes: Floats
    spaces: Floats
    date: Floats | Bools
    clock: Floats | Bools


def count(blocks: Blocks) -> Counts:
    """Count the characters of blocks."""
    codes = blocks.codes
    if compiled.text is not None:
        out = np.empty((N_CLASSES + 3, len(blocks)), np.float32)
        compiled.text.count_classes(codes, blocks.text_offsets, char_classes(), HAN, out)
        return Counts(out[:N_CLASSES], *out[N_CLASSES:])
    classes = classify(codes)
    spaces = np.add.reduceat(codes == 32, blocks.text_offsets[:-1], dtype=np.float32) if len(blocks) else np.zeros(0)
    dates, clocks = _any_in_block(_dates(codes, classes), blocks), _any_in_block(_clocks(codes, classes), blocks)
    return Counts(class_counts(blocks, classes).T, spaces, dates, clocks)


def _dates(codes: Ints, classes: Ints) -> Ints:
    """Where four digits are followed by a date separator: 2011-12, 2011年, 2011/12, 2011.12."""
    digit = classes == DIGIT
    run = digit[:-4] & digit[1:-3] & digit[2:-2] & digit[3:-1]
    return np.flatnonzero(run & is_any_of(codes[4:], "-年/."))


def _clocks(codes: Ints, classes: Ints) -> Ints:
    """Where two digits, a colon and two digits stand: 09:30."""
    digit = classes == DIGIT
    return np.flatnonzero(digit[:-4] & digit[1:-3] & is_any_of(codes[2:-2], ":：") & digit[3:-1] & digit[4:])


def _any_in_block(places: Ints, blocks: Blocks) -> Bools:
    found = np.zeros(len(blocks), bool)
    block = np.searchsorted(blocks.text_offsets, places, "right") - 1
    found[block[places + 4 < blocks.text_offsets[block + 1]]] = True  # all five characters in one block
    return found
