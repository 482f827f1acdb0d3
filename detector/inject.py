"""Training-time injection of strings into sentences: a brand in a name's place, an advert between two sentences.

Never used to score. Works on the texts of one page's blocks and returns the changed ones with the spans written in, in the
forms and rough shares found in the wild.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from random import Random
from typing import NamedTuple

from detector.augment import TOPICS, expand, injected_string, obfuscate

# What stands where a name stands: jieba's tags of people, places, bodies, other proper names.
NAME_TAGS = frozenset(("nr", "ns", "nt", "nz", "nrt", "nrfg", "j"))
COMMON_TAGS = frozenset(("n", "r", "t", "l", "vn", "b", "s"))
ENTITY_TAILS = ("委", "省委", "市委", "政府", "办公厅", "集团", "大学", "学院", "公司", "医院", "法院", "党委", "中学", "小学", "局", "厅",
                "银行", "协会", "研究所", "委员会", "市", "县", "省", "区", "镇", "村", "国", "人民", "中心", "系", "院", "校", "部", "厂")  # fmt: skip
_CLAUSE_END = re.compile(r"[。！？；，,!?;]")
_CLAUSE_BREAK = re.compile(r"[。！？；，、,!?;|_ ]")
MIN_ADVERT = 4  # characters
_HAN_RUN = re.compile(r"[\u4e00-\u9fff]+")


class Injected(NamedTuple):
    """A changed block: its number, its new text, and (start, stop, kind) of what was written in."""

    block: int
    text: str
    spans: list[tuple[int, int, str]]


def inject_strings(random: Random, texts: Sequence[str], lines: Sequence[str] = ()) -> list[Injected]:
    """Inject one string, or one kind of advert, into the texts of a page's content blocks; `lines` is spam that people wrote."""
    way = random.random()
    if way < 0.7:
        return _replace_name(random, texts)
    if way < 0.95:
        return _wedge_adverts(random, texts, lines)
    return _wedge_noise(random, texts)


def inject_title(random: Random, title: str) -> Injected:
    """Stuff a title."""
    string = injected_string(random)
    forms = (
        ("", title + random.choice(("_", "-", " ", "|", "——", ",", "")), string, ""),
        ("", random.choice(("【", "‘", "[", "")), string, random.choice(("】", "’", "]", "-", " ", "_")) + title),
        ("", "", string, random.choice((":", "：", "_", "-", " ")) + title),
    )
    _, before, middle, after = random.choice(forms)
    return Injected(-1, before + middle + after, [(len(before), len(before) + len(middle), "brand")])


def _replace_name(random: Random, texts: Sequence[str]) -> list[Injected]:
    """Put one string everywhere in the place of one name, part of a name, or common word."""
    string = injected_string(random)
    if random.random() < 0.15:
        string = random.choice((" ", "", "")) + string + random.choice((":", "：", " ", ""))
    target = pick_target(random, texts)
    if not target:
        return []
    limit = random.choice((1, 1, 2, 3, 5, 99))
    out = []
    for number, text in enumerate(texts):
        pieces = text.split(target)
        if len(pieces) == 1 or limit <= 0:
            continue
        taken = min(limit, len(pieces) - 1)
        limit -= taken
        out.append(_joined(number, pieces, string, target, taken))
    return out


def _joined(number: int, pieces: list[str], string: str, target: str, taken: int) -> Injected:
    bare = string.strip(" :：")
    lead = string.index(bare)
    text, spans = pieces[0], []
    for k, piece in enumerate(pieces[1:]):
        if k < taken:
            start = len(text) + lead
            spans.append((start, start + len(bare), "brand"))
            text += string + piece
        else:
            text += target + piece
    return Injected(number, text, spans)


def pick_target(random: Random, texts: Sequence[str]) -> str:
    """Pick what is replaced: a name, the front of a longer name, a common word, a piece of a word."""
    words = _tagged(random.choice([t for t in texts if len(t) >= 15] or [""]))
    names = [w for w, tag in words if tag in NAME_TAGS and len(w) >= 2]
    common = [w for w, tag in words if tag in COMMON_TAGS and len(w) >= 2]
    way = random.random()
    if way < 0.3 and names:
        return random.choice(names)
    if way < 0.5:
        front = _front_of_entity(random, words)
        if front:
            return front
    if way < 0.75 and common:
        return random.choice(common)
    whole = [w for w, _ in words if len(w) >= 2 and _HAN_RUN.fullmatch(w)]
    if not whole:
        return ""
    word = random.choice(whole)
    return random.choice((word[:-1], word[1:], word, word)) if len(word) > 1 else word


def _front_of_entity(random: Random, words: list[tuple[str, str]]) -> str:
    """Return a word that an entity's tail follows, so that the tail is left standing."""
    found = [a for (a, _), (b, _) in pairwise(words) if len(a) >= 2 and b.startswith(ENTITY_TAILS)]
    found += [w[: -len(t)] for w, _ in words for t in ENTITY_TAILS if w.endswith(t) and len(w) - len(t) >= 2]
    return random.choice(found) if found else ""


@lru_cache(maxsize=4096)
def _tagged_pairs(text: str) -> tuple[tuple[str, str], ...]:
    import logging

    import jieba
    from jieba import posseg

    jieba.setLogLevel(logging.ERROR)
    return tuple((pair.word, pair.flag) for pair in posseg.cut(text))


def _tagged(text: str) -> list[tuple[str, str]]:
    return list(_tagged_pairs(text[:400]))


def _advert(random: Random, lines: Sequence[str]) -> tuple[str, str]:
    """Make what stands between sentences: a whole line or some of one, a short name with a tail, a contact."""
    way = random.random()
    if way < 0.3:
        return injected_string(random), "advert"
    if way < 0.4 or (way < 0.85 and not lines):
        line = expand(random, random.choice(TOPICS), injected_string(random))
    elif way < 0.85:
        line = _some_of(random, random.choice(lines))
    else:
        return expand(random, "contact", ""), "contact"
    return (obfuscate(random, line) if random.random() < 0.2 else line)[:60], "advert"


def _some_of(random: Random, line: str) -> str:
    """Take a line, or some clauses of it that follow one another."""
    if random.random() < 0.3:
        return line
    bounds = [0, *(m.start() for m in _CLAUSE_BREAK.finditer(line)), len(line)]
    first = random.randrange(len(bounds) - 1)
    last = min(len(bounds) - 1, first + random.choice((1, 1, 2)))
    some = line[bounds[first] : bounds[last]].strip(" ，。、；：！？,!?;:|_-")
    return some if len(some) >= MIN_ADVERT else line


def _wedge_adverts(random: Random, texts: Sequence[str], lines: Sequence[str]) -> list[Injected]:
    numbers = [i for i, text in enumerate(texts) if len(text) >= 12]
    random.shuffle(numbers)
    string, kind = _advert(random, lines)
    out = []
    for number in numbers[: random.choice((1, 1, 2, 3, 6))]:
        if random.random() < 0.5:
            string, kind = _advert(random, lines)
        out.append(_wedged(random, number, texts[number], string, kind))
    return out


def _wedged(random: Random, number: int, text: str, string: str, kind: str) -> Injected:
    """Put a string after a clause, at an edge, or into the middle of a sentence, with brackets or emoji at times."""
    ends = [m.end() for m in _CLAUSE_END.finditer(text)] or [len(text)]
    inside = random.randrange(len(text))
    at = random.choice((random.choice(ends), random.choice(ends), 0, len(text), inside, inside))
    around = random.choice(
        (("", ""),) * 6
        + (("【", "】"), ("(", ")"), ("《", "》"), ("🎰", ""), ("👉", "👈"), ("★", "★"), (" ", " "), ("「", "」"))
    )
    whole = around[0] + string + around[1]
    if random.random() < 0.4:
        whole += random.choice("，。,！ ")
    lead = len(whole) - len(whole.lstrip(" "))
    stop = at + len(whole.rstrip(" ，。,！"))
    return Injected(number, text[:at] + whole + text[at:], [(at + lead, stop, kind)])


def _wedge_noise(random: Random, texts: Sequence[str]) -> list[Injected]:
    """Wedge symbols between the characters of words."""
    marks = random.choice(("♋", "🎰", "♠", "●", "★", "❤", "㊣", "▲▼", "░", "◆", "✿", "囍", "☏", "💰"))
    out = []
    for number, text in enumerate(texts):
        if len(text) < 12 or random.random() < 0.5:
            continue
        at = random.randrange(1, len(text) - 1)
        out.append(Injected(number, text[:at] + marks + text[at:], [(at, at + len(marks), "noise")]))
        if len(out) == 4:
            break
    return out
