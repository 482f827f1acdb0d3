"""Every regular expression of the package takes time in proportion to its input, on the worst that can be thought of for it.

Patterns are found by importing all modules, so a new one is tested without a word. The worst are made of what a pattern
itself names, over and over, with nothing behind it that ends what was begun.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import sys
import time
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import pytest

import detector
from detector.features import markup

SMALL, LARGE = 6 << 10, 1 << 20
SLACK = 2.0  # times the time in proportion that twice the input may take, on a busy machine
BRIEF = 0.05  # seconds of a core under which nothing is told; what is quadratic takes more for 6 kB
PROGRAMS = ("detector.__main__", "detector.integrations", "detector.compiled")  # not to be imported here
ENDINGS = {"_TOKEN": "</html>"}  # what they are given ends so
BOUNDED = {"_CHARSET": 1024, "_XML_ENCODING": 1024, "_HEAD": 64 << 10, "_AFTER": 64}  # bytes that they are given
PIECES = ["<", "<!--", "<!-- >", "<a ", "<a", "</p>", "<br ", "<p ", "<style>", "<title ", "<meta ", "<body", '="', "='", '"', "'", "=", "&", "&#",
          " ", "\n", "\r\n", "a", "A", "1", "-", ".", "渠", "渠(a", "(", "{a", "⟦a:", "\\u", "\\ud800", "\\", "/", "//", "http://a", "@", "://",
          "url(", "@import ", "image-set (", "WARC/1.0\r\n", "WARC/", "\nWARC/1.0", "content-length", "content-length: ", "2019年1月", "来源：",
          "记者", "left:-", "text-indent:-1", "font-size:0", "height:0", "opacity:0.0", ";"]  # fmt: skip


def patterns() -> Iterator[tuple[str, re.Pattern[Any]]]:
    """Yield all patterns of the package's modules by their names."""
    for info in pkgutil.walk_packages(detector.__path__, "detector."):
        if not info.name.startswith(PROGRAMS):
            yield from patterns_among(info.name, vars(importlib.import_module(info.name)))


def patterns_among(module: str, values_of: Mapping[str, Any]) -> Iterator[tuple[str, re.Pattern[Any]]]:
    """Yield the patterns of a module, also those in tuples and dicts."""
    for name, value in values_of.items():
        values = value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else [value]
        for number, pattern in enumerate(v for v in values if isinstance(v, re.Pattern)):
            yield f"{module}.{name}" + f".{number}" * (pattern is not value), pattern


FOUND = dict(patterns())


def seconds(name: str, piece: str, size: int) -> float:
    """Return how long a pattern takes for a piece over and over."""
    pattern, short = FOUND[name], name.rstrip(".0123456789").rpartition(".")[2]
    text = piece * (size // len(piece)) + ENDINGS.get(short, "")
    subject = text.encode()[: BOUNDED.get(short)] if isinstance(pattern.pattern, bytes) else text
    before = time.process_time()
    if is_anchored(name.rpartition(".")[0], short):
        pattern.match(subject)
    else:
        sum(1 for _ in pattern.finditer(subject))
    return time.process_time() - before


@lru_cache(maxsize=1000)
def is_anchored(module: str, name: str) -> bool:
    """Whether a pattern is only ever tried at the beginning, or at a place, of what it is given."""
    source = inspect.getsource(sys.modules[module]) if module in sys.modules else ""
    return bool(uses := set(re.findall(rf"\b{name}\.(\w+)\(", source))) and uses <= {"match", "fullmatch"}


def pieces_for(pattern: re.Pattern[Any]) -> list[str]:
    """Return what may be hard for a pattern, first of all what it names itself."""
    source = pattern.pattern.decode() if isinstance(pattern.pattern, bytes) else pattern.pattern
    return [*re.findall(r"[\w\u3000-\u9fff<>:/=-]{2,}", source)[:12], *PIECES]


@pytest.mark.parametrize("name", FOUND)
def test_time_grows_with_the_input(name: str) -> None:
    taken = {}
    for piece in pieces_for(FOUND[name]):
        taken[piece] = seconds(name, piece, SMALL)
        assert taken[piece] < BRIEF, f"{SMALL} characters of {piece!r}"
    worst = max(taken, key=lambda piece: taken[piece])
    assert any(grows_evenly(name, worst) for _ in range(3)), f"{worst!r}"


def grows_evenly(name: str, piece: str) -> bool:
    half, whole = (seconds(name, piece, size) for size in (LARGE // 2, LARGE))
    return is_even(half, whole)


def is_even(half: float, whole: float) -> bool:
    """Whether twice the input takes about twice the time, or so little that nothing can be told."""
    return whole < BRIEF or whole < 2 * SLACK * half


def test_patterns_are_found() -> None:
    assert {"detector.segment._TOKEN", "detector.limits._NAME"} <= set(FOUND)
    several = {"_A": re.compile("a"), "_B": ("x", re.compile("b")), "_C": {1: re.compile("c"), 2: re.compile("d")}}
    names = [name for name, _ in patterns_among("m", several)]
    assert names == ["m._A", "m._B.0", "m._C.0", "m._C.1"]


@pytest.mark.parametrize("family", markup.FAMILIES)
def test_families_of_names_are_looked_for_in_time_in_proportion(family: str) -> None:
    """They are looked for by RE2, all at once, and not found above."""
    for piece in pieces_for(re.compile(markup.FAMILIES[family])):
        assert any(is_even(*(mask_seconds(piece, size) for size in (LARGE // 2, LARGE))) for _ in range(3)), piece


def mask_seconds(piece: str, size: int) -> float:
    text, before = piece * (size // len(piece)), time.process_time()
    markup.family_mask(text)
    return time.process_time() - before
