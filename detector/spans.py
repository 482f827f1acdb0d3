"""Injected strings inside blocks of any label.

1. `heat` weighs the characters of the blocks worth a look, and of the pages' titles; runs of hot characters are candidates.
2. A small network judges each candidate by what it is made of, what stands beside it, whether jieba finds words in it, how
   often the string stands in the page and what else the page says.
3. A string that is sure is looked for in the whole page again, and where it stands several times, its bounds are those of
   what all its places have in common.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detector.chars import DIGIT, EDGE_CODE, HAN, LATIN, PUNCT, SPACE, char_kinds, fold_codes
from detector.heat import N_TABLES, Background, Heat, join, measure_fit, score
from detector.lexicon import Lexicon
from detector.network import Network, mean_proba, networks_from

MIN_HEAT = 1.0  # log odds from which a character speaks for a run
MAX_STRENGTH = 4.0  # log odds that one character can count for or against a run, so that its neighbours are heard
OPEN_COST = 2.5  # log odds that a run must pay to begin
MIN_RUN = 3.0  # log odds of a run worth judging
ZONE_GAP = 6  # cool characters that end a zone in which runs are looked for
MAX_RUN = 80  # characters; a longer run is a matter for block labels
MAX_RUNS = 200  # of one page that are judged
MAX_STRINGS = 50  # different ones of one page that are looked for again
COMPANION = 0.8  # probability from which a candidate is taken in a page where another one is sure
MAX_SPACES = 0.25  # of a text's characters; beyond, all characters are set apart, and nothing can be told
MIN_REPEATED = 3  # characters of a string that is looked for again
WINDOW = 10  # characters on each side that jieba sees
CLAUSE_ENDS = "，。；！？"  # nothing goes on past them but an advert, in pieces
TRIM = " :：,，。;；、!！"

CUE_GROUPS = ("brand", "root", "tail", "gambling", "contact", "porn", "finance", "goods")
_STRONG_CUES = [CUE_GROUPS.index(group) + 1 for group in ("brand", "gambling", "porn", "finance", "goods")]
# What goes on after a name that was replaced in part, and what asks for a name.
ENTITY_TAILS = tuple(
    "委 政府 办公 集团 大学 学院 公司 医院 法院 党 中学 小学 局 厅 银行 协会 研究 市 县 省 区 镇 村 国 人民 中心 系 院 校 部 厂 门"
    " 领导 书记 校长 院长 团委 纪委 章程 师 生 学校 分公司 有限 股份 副 石化 钢 电 科".split()
)
NAME_ASKERS = tuple("在 到 由 对 与 和 是 为 我 该 作为 获 赴 据 向 从 经 把 被 以 将 成为 全 各".split())
COMMON_ENDS = ("官网", "下载", "登录", "入口", "平台", "app", "官方", "集团", "公司", "体育", "国际", "娱乐")


class Run(NamedTuple):
    """A candidate: characters `start` to `stop` of text number `text`, with the sum of their heat."""

    text: int
    start: int
    stop: int
    heat: float


class Found(NamedTuple):
    """An injected string in text number `text` of a page (0 is its title); `cue` is what gave it away."""

    text: int
    start: int
    stop: int
    score: float
    kind: str
    cue: str | None


class SpanModel(NamedTuple):
    """Heat, the network over candidates, and the probability from which a candidate is taken."""

    heat: Heat
    networks: tuple[Network, ...]
    threshold: float

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return everything by name, for saving; tables are kept to half precision, to which they were rounded."""
        named: dict[str, NDArray[Any]] = {f"table{i}": t.astype(np.float16) for i, t in enumerate(self.heat.tables)}
        named |= {"bias": np.array(self.heat.bias), "threshold": np.array(self.threshold)}
        named |= {f"background/{name}": table for name, table in self.heat.background._asdict().items()}
        return named | {f"judge/{i}/{name}": a for i, n in enumerate(self.networks) for name, a in n.arrays().items()}

    @classmethod
    def from_arrays(cls, named: Mapping[str, NDArray[Any]]) -> SpanModel:
        """Undo `arrays`; KeyError when one is missing."""
        tables = [named[f"table{i}"].astype(np.float32) for i in range(N_TABLES)]
        background = Background(*(named[f"background/{name}"] for name in Background._fields))
        return cls(
            Heat(tuple(tables), float(named["bias"]), background),
            networks_from(named, "judge"),
            float(named["threshold"]),
        )


class Scanned(NamedTuple):
    """The texts of one page with what was measured on their characters; `start` is where each stands in the arrays."""

    texts: list[str]
    folded: list[str]
    start: list[int]
    heat: NDArray[np.float32]
    kinds: NDArray[np.uint8]
    cues: NDArray[np.uint8]
    forward: NDArray[np.float32]
    reports: float


def find_spans(pages: Sequence[Sequence[str]], model: SpanModel, lexicon: Lexicon) -> list[list[Found]]:
    """Find injected strings in the texts of pages.

    Parameters
    ----------
    pages : sequence of sequences of str
        For each page its title ('' where there is none), then the texts of the blocks worth a look.

    Returns
    -------
    list of list of Found
        One list a page, in reading order, not overlapping.
    """
    if not any(map(len, pages)):
        return [[] for _ in pages]
    candidates, scanned = scan(pages, model.heat, lexicon)
    rows = [row for page, runs in zip(scanned, candidates, strict=True) for row in features(page, runs)]
    if not rows:
        return [[] for _ in pages]
    table = np.array(rows, np.float32)
    proba = mean_proba(model.networks, table)[:, 1]
    out, start = [], 0
    for page, runs in zip(scanned, candidates, strict=True):
        sure = proba[start : start + len(runs)]
        out.append(_settle(page, runs, sure, model.threshold))
        start += len(runs)
    return out


def scan(pages: Sequence[Sequence[str]], heat: Heat, lexicon: Lexicon) -> tuple[list[list[Run]], list[Scanned]]:
    """Measure all characters of all pages at once, and find each page's candidates."""
    texts = [text for page in pages for text in page]
    codes, starts = join(texts)
    folded = fold_codes(codes)
    cues, reports = cue_codes(codes, lexicon)
    hot = score(codes, cues, heat)
    hot[(codes == EDGE_CODE) | _spaced_out(codes, starts)] = -np.inf
    strength = np.clip(hot - MIN_HEAT, -MAX_STRENGTH, MAX_STRENGTH)
    strength[np.isin(codes, [ord(c) for c in CLAUSE_ENDS])] = -MAX_STRENGTH
    kinds, forward = char_kinds(folded), measure_fit(folded, heat.background).forward
    plain = folded.astype(np.uint32).tobytes().decode("utf-32-le", "replace")
    runs = _runs(strength, starts)
    numbers = [run.text for run in runs]
    out, scanned, first = [], [], 0
    for page in pages:
        last = first + len(page)
        mine = runs[bisect_left(numbers, first) : bisect_left(numbers, last)]
        own = [run._replace(text=run.text - first) for run in _hottest(mine)]
        bounds = [int(s) for s in starts[first:last]]
        shown = [plain[s : s + len(t)] for s, t in zip(bounds, page, strict=True)]
        n_reports = np.diff(np.searchsorted(reports, [bounds[0], bounds[-1] + len(page[-1])]))[0] if page else 0
        scanned.append(Scanned(list(page), shown, bounds, hot, kinds, cues, forward, float(n_reports)))
        out.append(own)
        first = last
    return out, scanned


def _hottest(runs: list[Run]) -> list[Run]:
    """Keep the hottest runs of a page, in their order: a page of nothing but adverts need not be judged to its end."""
    if len(runs) <= MAX_RUNS:
        return runs
    floor = sorted(run.heat for run in runs)[-MAX_RUNS]
    return [run for run in runs if run.heat >= floor][:MAX_RUNS]


def _spaced_out(codes: NDArray[np.uint32], starts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark the characters of texts that are mostly spaces."""
    sizes = np.diff(np.concatenate([starts, [len(codes)]]))
    share = np.add.reduceat(codes == ord(" "), starts, dtype=np.float64) / sizes
    return np.concatenate([np.zeros(int(starts[0]), bool), np.repeat(share > MAX_SPACES, sizes)])


def cue_codes(codes: NDArray[np.uint32], lexicon: Lexicon) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the number of the cue group that covers each character, 0 for none; and where talk about gambling is cued."""
    text = codes.astype("<u4").tobytes().decode("utf-32-le", "replace")
    found = lexicon.find(text)
    out = np.zeros(len(codes), np.uint8)
    for (_, start, stop), number in zip(found.tolist(), lexicon.member(CUE_GROUPS)[found[:, 0]].tolist(), strict=True):
        if number:
            out[start:stop] = number
    return out, found[lexicon.member(("report",))[found[:, 0]] > 0, 1]


def _runs(strength: NDArray[np.float32], starts: NDArray[np.int64]) -> list[Run]:
    """Cut the warm characters into zones, and each zone into its heaviest runs."""
    warm = np.flatnonzero(strength > 0)
    if not len(warm):
        return []
    text = np.searchsorted(starts, warm, "right") - 1
    first = np.flatnonzero(np.concatenate([[True], (np.diff(warm) > ZONE_GAP) | (np.diff(text) > 0)]))
    last = np.concatenate([first[1:], [len(warm)]]) - 1
    worth = np.add.reduceat(strength[warm], first) >= MIN_RUN + OPEN_COST
    out = []
    for a, b in zip(first[worth].tolist(), last[worth].tolist(), strict=True):
        begin, end, number = int(warm[a]), int(warm[b]) + 1, int(text[a])
        for start, stop, heat in _heavy_runs(strength[begin:end].tolist()):
            if heat >= MIN_RUN and stop - start <= MAX_RUN:
                offset = begin - int(starts[number])
                out.append(Run(number, offset + start, offset + stop, heat))
    return out


def _heavy_runs(hot: list[float]) -> list[tuple[int, int, float]]:
    """Split one zone so that the heat of all runs, less a cost for each, is greatest (Viterbi with two states)."""
    outside, inside = 0.0, -np.inf
    came = []
    for heat in hot:
        enter, leave = outside - OPEN_COST > inside, inside > outside
        came.append((enter, leave))
        outside, inside = max(outside, inside), max(outside - OPEN_COST, inside) + heat
    within, stop, out = inside > outside, len(hot), []
    for i in range(len(hot) - 1, -1, -1):
        enter, leave = came[i]
        if within and enter:
            out.append((i, stop, sum(hot[i:stop])))
            within = False
        elif not within and leave:
            within, stop = True, i
    return out[::-1]


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


# ---------------------------------------------------------------- judging


@lru_cache(maxsize=1)
def _jieba() -> Any:
    import logging

    import jieba

    jieba.setLogLevel(logging.ERROR)
    words = jieba.Tokenizer()  # of our own: words that the host program adds to jieba's must not change results
    words.initialize()
    return words


def features(page: Scanned, runs: Sequence[Run]) -> list[list[float]]:
    """Describe each candidate of a page as a row of numbers."""
    if not runs:
        return []
    whole = "\n".join(page.folded)
    keys = [page.folded[r.text][r.start : r.stop].strip(TRIM) for r in runs]
    best: dict[str, float] = defaultdict(float)
    for key, run in zip(keys, runs, strict=True):
        best[key] = max(best[key], run.heat)
    total = sum(run.heat for run in runs)
    shared = [
        np.log1p(len(runs)),
        100 * page.reports / (len(whole) + 100),
        np.log1p(len(whole)),
        float(len(page.texts) > 2),
    ]
    times = Counter(keys)
    repeated = {key: _repeated(page, whole, key) for key in times}
    rows = []
    for key, run in zip(keys, runs, strict=True):
        row = [*_own(page, run), *_beside(page, run), *_words(page, run, key), *repeated[key]]
        rows.append([*row, best[key], np.log1p(times[key]), np.log1p(max(total - run.heat, 0)), *shared])
    return rows


def _own(page: Scanned, run: Run) -> list[float]:
    """What the string itself is made of."""
    at = page.start[run.text]
    part = slice(at + run.start, at + run.stop)
    hot, kinds, cues = page.heat[part], page.kinds[part], page.cues[part]
    shown, n = page.texts[run.text][run.start : run.stop], run.stop - run.start
    kind_shares = np.bincount(kinds, minlength=8)[:8] / n
    cue_chars = np.bincount(cues, minlength=9)[:9]
    changes = float((np.diff(kinds) != 0).sum())
    return [
        run.heat, run.heat / n, float(hot.max()), float(hot.min()), np.log1p(n), *kind_shares.tolist(), *cue_chars[1:].tolist(),
        float(cue_chars[0]) / n, changes, float(sum(c in "，。、；！？" for c in shown)), float(sum(c in "（）()【】《》" for c in shown)),
        float("." in shown), float(page.folded[run.text][run.start : run.stop].endswith(COMMON_ENDS)),
    ]  # fmt: skip


def _beside(page: Scanned, run: Run) -> list[float]:
    """What stands before and after it, and how well that goes together."""
    text, at = page.folded[run.text], page.start[run.text]
    before, after = text[max(0, run.start - 6) : run.start], text[run.stop : run.stop + 6]
    left, right = int(page.kinds[at + run.start - 1]), int(page.kinds[at + run.stop])
    sides = [float(side == kind) for side in (left, right) for kind in (HAN, LATIN, DIGIT, PUNCT, SPACE)]
    joints = [float(page.forward[at + run.start - 1]), float(page.forward[at + run.stop - 1])]
    quoted = [float(before.endswith(("“", "「", "《", "‘", '"'))), float(after.startswith(("”", "」", "》", "’", '"')))]
    slots = [float(after.startswith(ENTITY_TAILS)), float(before.endswith(NAME_ASKERS))]
    place = [
        float(run.start == 0),
        float(run.stop == len(text)),
        float(run.text == 0),
        np.log1p(len(text)),
        (run.stop - run.start) / len(text),
    ]
    return [*sides, *joints, *quoted, *slots, *place]


def _words(page: Scanned, run: Run, key: str) -> list[float]:
    """What jieba makes of the window: words across the string's edges, words in it and how common they are."""
    words = _jieba()
    text = page.folded[run.text]
    low = max(0, run.start - WINDOW)
    start, stop, place, across, inside = run.start - low, run.stop - low, 0, 0, []
    for word in words.cut(text[low : run.stop + WINDOW], HMM=False):
        end = place + len(word)
        across += place < start < end or place < stop < end
        if place < stop and end > start and "\u4e00" <= word[0] <= "\u9fff":
            inside.append(word)
        place = end
    frequencies = [np.log1p(words.FREQ.get(word, 0)) for word in inside] or [0.0]
    singles = sum(len(word) == 1 for word in inside) / max(1, len(inside))
    longest = max((len(word) for word in inside), default=0)
    return [float(across), singles, float(longest), float(np.mean(frequencies)), np.log1p(words.FREQ.get(key, 0) or 0)]


def _repeated(page: Scanned, whole: str, key: str) -> list[float]:
    """How often the string stands in the page, and how various its surroundings are."""
    if len(key) < 2:
        return [0.0, 0.0, 0.0, 0.0]
    before: list[str] = []
    after: list[str] = []
    at = whole.find(key)
    while at >= 0 and len(before) < 12:
        before.append(whole[at - 1 : at])
        after.append(whole[at + len(key) : at + len(key) + 1])
        at = whole.find(key, at + 1)
    n = max(1, len(before))
    return [np.log1p(len(before)), len(set(before)) / n, len(set(after)) / n, float(key in page.folded[0])]


# ---------------------------------------------------------------- settling


def _settle(page: Scanned, runs: Sequence[Run], proba: NDArray[np.float32], threshold: float) -> list[Found]:
    """Take what is sure, look for it again in the whole page, and join what touches."""
    if not (proba >= threshold).any():
        return []
    # A page in which one string is sure was tampered with: the next one needs less.
    taken = [(run, float(p)) for run, p in zip(runs, proba, strict=True) if p >= min(threshold, COMPANION)]
    marks: dict[int, list[tuple[int, int, float]]] = defaultdict(list)
    sure: dict[str, float] = {}
    for run, p in taken:
        start, stop = _trimmed(page.texts[run.text], run.start, run.stop)
        string = page.texts[run.text][start:stop]
        marks[run.text].append((start, stop, p))
        sure[string] = max(p, sure.get(string, 0.0))
    for string in sorted(sure, key=lambda string: -sure[string])[:MAX_STRINGS]:
        common = _common_string(page.texts, string)
        for number, text in enumerate(page.texts) if len(common) >= MIN_REPEATED else ():
            marks[number] += [(at, at + len(common), sure[string]) for at in _places(text, common)]
    found = [
        _describe(page, number, *mark)
        for number in sorted(marks)
        for mark in _merged(marks[number], page.texts[number])
    ]
    return [f for f in found if f.kind != "contact" or _has_company(page, f, found)]


def _has_company(page: Scanned, contact: Found, found: Sequence[Found]) -> bool:
    """A contact alone is a notice's own; beside an advert, or another injected string, it is part of it."""
    if any(other.kind != "contact" for other in found):
        return True
    at = page.start[contact.text]
    cues = page.cues[at : at + len(page.texts[contact.text])]
    return bool(np.isin(cues, _STRONG_CUES).any())


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


def _describe(page: Scanned, number: int, start: int, stop: int, p: float) -> Found:
    at = page.start[number]
    cues, kinds = page.cues[at + start : at + stop], page.kinds[at + start : at + stop]
    groups = set(cues[cues > 0].tolist())
    kind = "contact" if CUE_GROUPS.index("contact") + 1 in groups and len(groups) == 1 else "brand"
    if not np.isin(kinds, (HAN, LATIN, DIGIT)).any():
        kind = "noise"
    elif stop - start > 20 or any(c in "，。！" for c in page.texts[number][start:stop]):
        kind = "advert"
    first = np.flatnonzero(cues)
    cue = None
    if len(first):
        end = first[0] + 1
        while end < len(cues) and cues[end] == cues[first[0]]:
            end += 1
        cue = page.texts[number][start + int(first[0]) : start + int(end)]
    return Found(number, start, stop, p, kind, cue)


# ---------------------------------------------------------------- for people, and for other modules


def weigh_candidates(texts: Sequence[str], model: SpanModel, lexicon: Lexicon) -> list[tuple[Run, float]]:
    """Return what was looked at in one page, its title first, with the probability that each was injected."""
    if not any(texts):
        return []
    (runs,), (page,) = scan([texts], model.heat, lexicon)
    if not runs:
        return []
    proba = mean_proba(model.networks, np.array(features(page, runs), np.float32))[:, 1]
    return list(zip(runs, proba.tolist(), strict=True))


def tokenizer() -> Any:
    """Return jieba's tokenizer with its own dictionary, read when first asked for."""
    return _jieba()
