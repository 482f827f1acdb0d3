"""The search for injected strings, a portion of the characters at a time.

Where all is hot, as on a page that is one brand a hundred thousand times, the search takes some 10 kB for each character.
Pages are searched some at a time, which changes nothing about what is found; one that is too large alone, some of its
texts at a time, and a text that is too long, piece by piece.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from detector.lexicon import Hits, Lexicon
from detector.spans import Found, SpanModel, find_spans
from detector.weigh import Cued

PORTION = 100_000  # characters that are searched at once
PIECE = 20_000  # of a longer text, in a page that is searched in portions

T = TypeVar("T")


class _Piece(NamedTuple):
    number: int  # of its text
    start: int
    text: str


def find_in_portions(
    pages: Sequence[Sequence[str]], numbers: Sequence[NDArray[np.int64]], hits: Hits, model: SpanModel, lexicon: Lexicon
) -> list[list[Found]]:
    """Find injected strings in the texts of pages, as `find_spans` does.

    Parameters
    ----------
    numbers : sequence of int64 ndarray
        For each page, the numbers of its texts' blocks among those of `hits`, -1 for a text that is none.
    """
    found: list[list[Found]] = []
    for portion in _portions(zip(pages, numbers, strict=True), lambda page: sum(map(len, page[0]))):
        texts, theirs = [page for page, _ in portion], [number for _, number in portion]
        if len(portion) == 1 and sum(map(len, texts[0])) > PORTION:
            found.append(_find_in_large(texts[0], model, lexicon))
        else:
            found += find_spans(texts, model, lexicon, Cued(np.concatenate(theirs), hits))
    return found


def _portions(items: Iterable[T], size: Callable[[T], int]) -> Iterator[list[T]]:
    """Gather consecutive items up to the size of a portion; one that is larger comes alone."""
    portion: list[T] = []
    room = PORTION
    for item in items:
        if portion and size(item) > room:
            yield portion
            portion, room = [], PORTION
        portion.append(item)
        room -= size(item)
    if portion:
        yield portion


def _find_in_large(texts: Sequence[str], model: SpanModel, lexicon: Lexicon) -> list[Found]:
    title, *others = texts
    pieces = [
        _Piece(number, at, text[at : at + PIECE])
        for number, text in enumerate(others, 1)
        for at in range(0, len(text), PIECE)
    ]
    found: list[Found] = []
    for portion in _portions([_Piece(0, 0, title), *pieces], lambda piece: len(piece.text)):
        some = portion if portion[0].number == 0 else [_Piece(0, 0, ""), *portion]
        (mine,) = find_spans([[piece.text for piece in some]], model, lexicon)
        for f in mine:
            number, start, _ = some[f.text]
            found.append(f._replace(text=number, start=start + f.start, stop=start + f.stop))
    return found
