"""Injected strings inside blocks of any label.

1. `heat` weighs the characters of the blocks worth a look, and of the pages' titles; `windows` looks at the warm ones again;
   hot `runs` are candidates.
2. A small network judges each candidate by what `judge` says of it: what it is made of, what stands beside it, whether jieba
   finds words in it, how often the string stands in the page and what else the page says.
3. A string that is sure is looked for in the whole page again, and where it stands several times, its bounds are those of
   what all its places have in common.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detector.background import Background
from detector.chars import DIGIT, HAN, LATIN
from detector.forest import Forest
from detector.heat import N_TABLES, Heat
from detector.judge import TRIM, WINDOW, describe
from detector.labels import DEFAULT_POLICY, POLICIES
from detector.lexicon import Lexicon
from detector.network import Panel
from detector.noise import HONEST_MARKS, find_noise, may_be_noisy
from detector.runs import CLAUSE_ENDS, Runs, find_runs
from detector.topic import Topic
from detector.weigh import CUE_GROUPS, Cued, Weighed, weigh
from detector.windows import look_again

MAX_STRINGS = 50  # different ones of one page that are looked for again
COMPANION = 0.8  # probability from which a candidate is taken in a page where another one is sure
COOLEST = -4.0  # heat of a candidate that may be taken; cooler ones only tell what the page is like
MIN_REPEATED = 3  # characters of a string that is looked for again
_STRONG_CUES = [CUE_GROUPS.index(group) + 1 for group in ("brand", "gambling", "porn", "finance", "goods")]


class Found(NamedTuple):
    """An injected string in text number `text` of a page (0 is its title); `cue` is what gave it away."""

    text: int
    start: int
    stop: int
    score: float
    kind: str
    cue: str | None


class Judges(NamedTuple):
    """Networks and trees over candidates; they err in different ways, and their mean errs less."""

    networks: Panel
    forest: Forest

    def predict_proba(
        self, rows: NDArray[np.float32], floor: float = 0.0, offsets: NDArray[np.int64] | None = None
    ) -> NDArray[np.float32]:
        """Return the probability that each candidate was injected, float32 (m,); those of a page from offset to offset.

        Those that cannot reach `floor`, whatever the trees would say, are not shown to them: theirs comes out too low.
        """
        if not len(rows):
            return np.zeros(0, np.float32)
        proba = self.networks.predict_proba(rows, offsets)[:, 1]
        hopeful = proba >= 2 * floor - 1
        proba[hopeful] += self.forest.predict_proba(rows[hopeful])
        return proba * np.float32(0.5)


class SpanModel(NamedTuple):
    """Heat, the networks over windows, networks and trees over candidates, and the probabilities from which one is taken.

    `thresholds` holds that of each policy, in the order of `labels.POLICIES`; `threshold` is the one in force.
    """

    heat: Heat
    windows: Panel
    judges: Judges
    thresholds: tuple[float, ...]
    threshold: float

    def under(self, policy: str) -> SpanModel:
        """Return the model with the threshold of a policy."""
        return self._replace(threshold=self.thresholds[POLICIES.index(policy)])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return everything by name, for saving; tables are kept to half precision, to which they were rounded."""
        named: dict[str, NDArray[Any]] = {f"table{i}": t.astype(np.float16) for i, t in enumerate(self.heat.tables)}
        named |= {"bias": np.array(self.heat.bias), "thresholds": np.array(self.thresholds)}
        named |= {f"background/{name}": table for name, table in self.heat.background._asdict().items()}
        named |= {f"topic/{name}": table for name, table in self.heat.topic._asdict().items()}
        named |= {f"forest/{name}": array for name, array in self.judges.forest._asdict().items()}
        return named | self.windows.arrays("window") | self.judges.networks.arrays("judge")

    @classmethod
    def from_arrays(cls, named: Mapping[str, NDArray[Any]]) -> SpanModel:
        """Undo `arrays`; KeyError when one is missing."""
        tables = [named[f"table{i}"].astype(np.float32) for i in range(N_TABLES)]
        forest = {name.removeprefix("forest/"): named[name] for name in named if name.startswith("forest/")}
        background = Background(*(named[f"background/{name}"] for name in Background._fields))
        topic = Topic(*(named[f"topic/{name}"] for name in Topic._fields))
        return cls(
            Heat.of(tables, float(named["bias"]), background, topic),
            Panel.from_arrays(named, "window"),
            Judges(Panel.from_arrays(named, "judge"), Forest.from_arrays(forest)),
            tuple(named["thresholds"].tolist()),
            float(named["thresholds"][POLICIES.index(DEFAULT_POLICY)]),
        )


class Mark(NamedTuple):
    """A stretch of text number `text` of a page that is taken, with its probability."""

    text: int
    start: int
    stop: int
    p: float


def find_spans(
    pages: Sequence[Sequence[str]], model: SpanModel, lexicon: Lexicon, cued: Cued | None = None
) -> list[list[Found]]:
    """Find injected strings in the texts of pages.

    Parameters
    ----------
    pages : sequence of sequences of str
        For each page its title ('' where there is none), then the texts of the blocks worth a look.
    cued : Cued, optional
        The cues in those texts, as far as they have been looked for already.

    Returns
    -------
    list of list of Found
        One list a page, in reading order, not overlapping.
    """
    if not any(map(len, pages)):
        return [[] for _ in pages]
    weighed, runs, proba = judge_runs(pages, model, lexicon, cued, min(model.threshold, COMPANION))
    page = weighed.page[runs.start]
    sure = np.unique(page[proba >= model.threshold])
    out: list[list[Found]] = [[] for _ in pages]
    for number in sure.tolist():
        mine = page == number
        marks = _marks(weighed, runs.take(mine), proba[mine], number, model.threshold)
        out[number] = _settle(weighed, number, pages[number], marks)
    for number in may_be_noisy(weighed.traits.codes, weighed.traits.kinds, weighed.page, len(pages)).tolist():
        out[number] = _with_noise(out[number], pages[number], find_noise(pages[number], model.heat.background))
    return out


def _with_noise(found: list[Found], texts: Sequence[str], noise: Sequence[tuple[int, int, int]]) -> list[Found]:
    """Put certain noise between what was found; of what overlaps, the longer stays."""
    certain = [Found(n, a, b, 1.0, "noise", texts[n][a:b]) for n, a, b in noise]
    out: list[Found] = []
    for f in sorted([*certain, *found], key=lambda f: f.start - f.stop):  # the longest first, of equals the noise
        if not any(f.text == g.text and f.start < g.stop and g.start < f.stop for g in out):
            out.append(f)
    return sorted(out)


def judge_runs(
    pages: Sequence[Sequence[str]], model: SpanModel, lexicon: Lexicon, cued: Cued | None = None, floor: float = 0.0
) -> tuple[Weighed, Runs, NDArray[np.float32]]:
    """Find the candidates of pages, with the probability that each was injected, float32 (m,); see `Judges` for `floor`."""
    weighed = weigh(pages, model.heat, lexicon, cued)
    look = look_again(weighed, model.windows)
    runs = find_runs(weighed, look)
    rows = describe(weighed, look, runs, COOLEST)
    proba = model.judges.predict_proba(rows, floor, weighed.offsets(runs.start))
    return weighed, runs, np.where(runs.heat < COOLEST, np.float32(0), proba)


def echoes(text: str, strings: Mapping[str, Found]) -> list[tuple[tuple[int, int], Found]]:
    """Find strings that were taken elsewhere in the page, the longest first, in a text that was not looked at."""
    out: list[tuple[tuple[int, int], Found]] = []
    for string in sorted(strings, key=len, reverse=True):
        if len(string) < MIN_REPEATED:
            break
        for at in _places(text, string):
            if not any(a < at + len(string) and at < b for (a, b), _ in out):
                out.append(((at, at + len(string)), strings[string]))
    return out


def weigh_candidates(texts: Sequence[str], model: SpanModel, lexicon: Lexicon) -> list[Mark]:
    """Return what was looked at in one page, its title first, with the probability that each was injected."""
    if not any(texts):
        return []
    weighed, runs, proba = judge_runs([texts], model, lexicon)
    return _marks(weighed, runs, proba, 0, 0.0)


# ---------------------------------------------------------------- settling


def _marks(weighed: Weighed, runs: Runs, proba: NDArray[np.float32], page: int, threshold: float) -> list[Mark]:
    """Take a page's candidates that are sure; where one is, the page was tampered with, and the next one needs less."""
    taken = np.flatnonzero(proba >= min(threshold, COMPANION))
    begin = weighed.starts[runs.text]
    rows = zip(
        (runs.text - weighed.first[page])[taken].tolist(), (runs.start - begin)[taken].tolist(),
        (runs.stop - begin)[taken].tolist(), proba[taken].tolist(), strict=True,
    )  # fmt: skip
    return [Mark(*row) for row in rows]


def _settle(weighed: Weighed, page: int, texts: Sequence[str], marks: Sequence[Mark]) -> list[Found]:
    """Look for what was taken again in the whole page, and join what touches."""
    places: dict[int, list[tuple[int, int, float]]] = defaultdict(list)
    sure: dict[str, float] = {}
    trimmed = [Mark(m.text, *_trimmed(texts[m.text], m.start, m.stop), m.p) for m in marks]
    for mark in _without_overshot(texts, trimmed):
        string = texts[mark.text][mark.start : mark.stop]
        places[mark.text].append((mark.start, mark.stop, mark.p))
        sure[string] = max(mark.p, sure.get(string, 0.0))
    for string in sorted(sure, key=lambda string: -sure[string])[:MAX_STRINGS]:
        common = _common_string(texts, string)
        for number, text in enumerate(texts) if len(common) >= MIN_REPEATED else ():
            places[number] += [(at, at + len(common), sure[string]) for at in _places(text, common)]
    first = int(weighed.first[page])
    found = [
        _named(weighed, first, Mark(number, *place))
        for number in sorted(places)
        for place in _merged(places[number], texts[number])
    ]
    found = [f for f in found if f.kind != "noise" or not set(texts[f.text][f.start : f.stop]) <= HONEST_MARKS]
    return [f for f in found if f.kind != "contact" or _has_company(weighed, first, f, found)]


def _without_overshot(texts: Sequence[str], marks: Sequence[Mark]) -> list[Mark]:
    """Drop marks that overlap a place of a string which is surer and stands more often: that place is found without them."""
    strings = [texts[mark.text][mark.start : mark.stop] for mark in marks]
    times = {string: sum(text.count(string) for text in texts) for string in set(strings)}
    best = {string: max(m.p for m, s in zip(marks, strings, strict=True) if s == string) for string in times}

    def overshoots(mark: Mark, string: str) -> bool:
        better = (s for s in times if len(s) >= MIN_REPEATED and times[s] > times[string] and best[s] >= mark.p)
        places = ((at, at + len(s)) for s in better for at in _places(texts[mark.text], s))
        return any(start < mark.stop and mark.start < stop for start, stop in places)

    return [mark for mark, string in zip(marks, strings, strict=True) if not overshoots(mark, string)]


def _has_company(weighed: Weighed, first: int, contact: Found, found: Sequence[Found]) -> bool:
    """A contact alone is a notice's own; beside an advert, or another injected string, it is part of it."""
    if any(other.kind != "contact" for other in found):
        return True
    start, stop = weighed.starts[first + contact.text : first + contact.text + 2].tolist()
    return bool(np.isin(weighed.traits.cues[start:stop], _STRONG_CUES).any())


def _trimmed(text: str, start: int, stop: int) -> tuple[int, int]:
    while start < stop - 1 and text[start] in TRIM:
        start += 1
    while stop - 1 > start and text[stop - 1] in TRIM:
        stop -= 1
    return start, stop


def _places(text: str, string: str) -> list[int]:
    out, at = [], text.find(string)
    while at >= 0:
        out.append(at)
        at = text.find(string, at + len(string))
    return out


def _common_string(texts: Sequence[str], string: str) -> str:
    """Widen a string that stands several times in a page to what all its places share; alone, it stays as it is."""
    places = [(n, at) for n, text in enumerate(texts) for at in _places(text, string)]
    if len(places) < 2:
        return string
    left, right = 0, len(string)
    while left <= WINDOW and _agree([texts[n][at - left - 1 : at - left] if at - left > 0 else "" for n, at in places]):
        left += 1
    while right <= len(string) + WINDOW and _agree([texts[n][at + right : at + right + 1] for n, at in places]):
        right += 1
    n, at = places[0]
    wide = texts[n][at - left : at + right]
    return string if len(wide) > len(string) + WINDOW else wide.strip(TRIM)


def _agree(characters: list[str]) -> bool:
    return len(set(characters)) == 1 and characters[0] not in ("", *"，。、；：！？“”‘’（ \n")


def _merged(marks: list[tuple[int, int, float]], text: str) -> list[tuple[int, int, float]]:
    """Join marks that touch, or that only a stop within an advert sets apart."""
    out: list[tuple[int, int, float]] = []
    for start, stop, p in sorted(marks):
        if out and text[out[-1][1] : start] in ("", *CLAUSE_ENDS):
            out[-1] = (out[-1][0], max(stop, out[-1][1]), max(p, out[-1][2]))
        else:
            out.append((start, stop, p))
    return out


def _named(weighed: Weighed, first: int, mark: Mark) -> Found:
    """Tell the kind of an injected string, and the cue that gave it away."""
    at = int(weighed.starts[first + mark.text])
    inside = slice(at + mark.start, at + mark.stop)
    cues, kinds = weighed.traits.cues[inside], weighed.traits.kinds[inside]
    shown = weighed.texts[first + mark.text][mark.start : mark.stop]
    groups = set(cues[cues > 0].tolist())
    kind = "contact" if groups == {CUE_GROUPS.index("contact") + 1} else "brand"
    if not np.isin(kinds, (HAN, LATIN, DIGIT)).any():
        kind = "noise"
    elif len(shown) > 20 or any(c in "，。！" for c in shown):
        kind = "advert"
    return Found(*mark, kind, _first_cue(cues, shown))


def _first_cue(cues: NDArray[np.uint8], shown: str) -> str | None:
    edges = np.flatnonzero(np.diff(cues, prepend=0, append=0)).tolist()
    return next((shown[a:b] for a, b in pairwise(edges) if cues[a]), None)
