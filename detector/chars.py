"""Code points: their kinds, and the folding under which they are matched.

Folding maps one code point to one, so that places in the folded text are places in the text as shown.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector import compiled

# Kinds of characters, as the span model sees them.
OTHER, HAN, LATIN, DIGIT, PUNCT, SPACE, SYMBOL, EDGE = range(8)

EDGE_CODE = 0x10FFFE  # stands between blocks; no text holds it
# Blocks whose characters are forms of others: full-width, circled, Roman, super- and subscript, Kangxi radicals, squared.
_COMPATIBLE = (
    (0xFF01, 0xFFEF),
    (0x2460, 0x24FF),
    (0x2160, 0x218B),
    (0x2070, 0x209F),
    (0x2F00, 0x2FDF),
    (0xF900, 0xFAFF),
    (0x3220, 0x33FF),
)
MATHEMATICAL = (0x1D400, 0x1D7FF)


def code_points(text: str) -> NDArray[np.uint32]:
    """Return the code points of `text`, uint32 (n_chars,)."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def count_between(text: str, first: int, last: int) -> int:
    """Count the characters of a text from one code point to another."""
    if compiled.scan:
        return int(compiled.scan.count_between(text, first, last))
    codes = code_points(text)
    return int(np.count_nonzero((codes >= first) & (codes <= last)))


def is_any_of(codes: NDArray[np.integer[Any]], characters: str) -> NDArray[np.bool_]:
    """Tell which code points are those of a few characters, bool (n_chars,); `np.isin` sorts before it looks."""
    found = np.zeros(len(codes), bool)
    for character in characters:
        found |= codes == np.uint32(ord(character))
    return found


def count_han(text: str) -> int:
    """Count the characters of the block CJK Unified Ideographs."""
    return count_between(text, 0x4E00, 0x9FFF)


def text_of(codes: NDArray[np.uint32] | NDArray[np.uint64]) -> str:
    """Return the text of code points; what is no character becomes U+FFFD."""
    return codes.astype("<u4").tobytes().decode("utf-32-le", "replace")


@lru_cache(maxsize=2)
def folding(keep_digits: bool) -> NDArray[np.uint32]:
    """Table of the BMP: compatible forms to plain, capitals to small, traditional to simplified, digits to 0 or kept."""
    table = np.arange(65536, dtype=np.uint32)
    for first, last in _COMPATIBLE:
        for code in range(first, last + 1):
            table[code] = _plain(code)
    for line in (files("detector") / "variants.tsv").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            traditional, _, simplified = line.partition("\t")
            table[ord(traditional)] = ord(simplified)
    table[ord("〇")] = ord("0")
    capital = (table >= ord("A")) & (table <= ord("Z"))
    table[capital] += 32
    if not keep_digits:
        table[(table >= ord("0")) & (table <= ord("9"))] = ord("0")
    return table


def _plain(code: int) -> int:
    plain = unicodedata.normalize("NFKC", chr(code))
    return ord(plain[0]) if plain and (len(plain) == 1 or plain.isdigit()) and ord(plain[0]) < 65536 else code


@lru_cache(maxsize=2)
def mathematical(keep_digits: bool) -> NDArray[np.uint32]:
    """Table of the mathematical letters, from the first of `MATHEMATICAL` on, to plain ones."""
    first, last = MATHEMATICAL
    return folding(keep_digits)[np.array([_plain(code) for code in range(first, last + 1)], np.int64) % 65536]


def fold_codes(codes: NDArray[np.uint32], *, keep_digits: bool = False) -> NDArray[np.uint64]:
    """Fold code points for matching, uint64 (n_chars,): digits to 0, unless they are kept."""
    table = folding(keep_digits)
    if not codes.size or int(codes.max()) < 65536:
        return table[codes].astype(np.uint64)
    folded = np.where(codes < 65536, table[np.minimum(codes, 65535)], codes)
    first, last = MATHEMATICAL
    letters = (codes >= first) & (codes <= last)
    folded[letters] = mathematical(keep_digits)[codes[letters] - first]
    return folded.astype(np.uint64)


def fold_and_tell(codes: NDArray[np.uint32]) -> tuple[NDArray[np.uint64], NDArray[np.uint8]]:
    """Return what `fold_codes` makes of code points, and the `char_kinds` of that."""
    if compiled.text is None:
        folded = fold_codes(codes)
        return folded, char_kinds(folded)
    folded, kinds = np.empty(len(codes), np.uint64), np.empty(len(codes), np.uint8)
    tables = folding(False), mathematical(False), MATHEMATICAL[0], _kind_table()
    compiled.text.fold(codes, *tables, EDGE, HAN, SYMBOL, folded, kinds)
    return folded, kinds


_INVISIBLE = np.array(
    [0x00AD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065), 0xFEFF], np.uint32
)
_SEPARATORS = np.array([ord(c) for c in "·•・‧∙*~_^|+"], np.uint32)


def without_wedges(codes: NDArray[np.uint32]) -> NDArray[np.int64] | None:
    """Places of the characters that are left when what breaks up words is passed over; None when nothing does.

    Invisible characters are passed over everywhere, separators and symbols where one stands alone between two Han characters.
    """
    kinds = char_kinds(codes)
    odd = np.flatnonzero((kinds == SYMBOL) | (kinds == OTHER) | (codes == ord("·")) | (codes == ord("*")))
    inside = (odd > 0) & (odd < len(codes) - 1)
    between = np.zeros(len(odd), bool)
    between[inside] = (kinds[odd[inside] - 1] == HAN) & (kinds[odd[inside] + 1] == HAN)
    found = codes[odd]
    wedged = (between & ((kinds[odd] == SYMBOL) | np.isin(found, _SEPARATORS))) | np.isin(found, _INVISIBLE)
    if not wedged.any():
        return None
    kept = np.ones(len(codes), bool)
    kept[odd[wedged]] = False
    return np.flatnonzero(kept)


@lru_cache(maxsize=1)
def wedge_table() -> NDArray[np.uint8]:
    """Table of the BMP: 1 for Han characters, 2 for what is passed over between two of them, 4 for what is so everywhere."""
    codes = np.arange(65536, dtype=np.uint32)
    kinds = char_kinds(codes)
    table = (kinds == HAN) + 2 * ((kinds == SYMBOL) | np.isin(codes, _SEPARATORS)) + 4 * np.isin(codes, _INVISIBLE)
    wedges: NDArray[np.uint8] = table.astype(np.uint8)
    return wedges


@lru_cache(maxsize=1)
def _kind_table() -> NDArray[np.uint8]:
    table = np.full(65536, OTHER, np.uint8)
    for code in range(0x2000, 0x3000):
        table[code] = SYMBOL
    for first, last in ((0x3400, 0x9FFF), (0xF900, 0xFAFF)):
        table[first : last + 1] = HAN
    for character in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ":
        table[ord(character)] = LATIN
    table[ord("0") : ord("9") + 1] = DIGIT
    for character in "，。、；：！？“”‘’（）《》〈〉「」『』【】〔〕—…·,.;:!?\"'()[]{}<>-/%":
        table[ord(character)] = PUNCT
    for character in " \t\u00a0\u3000":
        table[ord(character)] = SPACE
    for character in "|_@#$^&*+=~`\\":
        table[ord(character)] = SYMBOL
    table[0xE000:0xF900] = SYMBOL
    return table


def char_kinds(codes: NDArray[np.uint64] | NDArray[np.uint32]) -> NDArray[np.uint8]:
    """Return the kind of each (folded) code point, uint8 (n_chars,); above the BMP, ideographs are Han, all else symbols."""
    table = _kind_table()
    if not codes.size or int(codes.max()) < 65536:
        return table[codes]
    high = np.where(codes == EDGE_CODE, EDGE, np.where((codes >= 0x20000) & (codes < 0x32000), HAN, SYMBOL))
    return np.where(codes < 65536, table[np.minimum(codes, 65535)], high).astype(np.uint8)
