"""What there is to say of a candidate: one row of numbers each, for the networks that judge it."""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from math import fsum, log, log1p
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector import compiled
from detector.background import gram_buckets, measure_fit
from detector.chars import DIGIT, EDGE_CODE, HAN, LATIN, PUNCT, SPACE
from detector.heat import N_CUES, N_KINDS
from detector.runs import Runs
from detector.weigh import APART, Weighed
from detector.windows import COLD, Look

WINDOW = 10  # characters on each side that jieba sees
BESIDE = 10  # characters on each side whose topic is told
MAX_PLACES = 12  # of a string in its page that are looked at
TRIM = " :：,，。;；、!！"
# What goes on after a name that was replaced in part, and what asks for a name.
ENTITY_TAILS = tuple(
    "委 政府 办公 集团 大学 学院 公司 医院 法院 党 中学 小学 局 厅 银行 协会 研究 市 县 省 区 镇 村 国 人民 中心 系 院 校 部 厂 门"
    " 领导 书记 校长 院长 团委 纪委 章程 师 生 学校 分公司 有限 股份 副 石化 钢 电 科".split()
)
NAME_ASKERS = tuple("在 到 由 对 与 和 是 为 我 该 作为 获 赴 据 向 从 经 把 被 以 将 成为 全 各".split())
COMMON_ENDS = ("官网", "下载", "登录", "入口", "平台", "app", "官方", "集团", "公司", "体育", "国际", "娱乐")
NO_WORDS = [0.0] * 6
_SIDES = (HAN, LATIN, DIGIT, PUNCT, SPACE)


def describe(weighed: Weighed, look: Look, runs: Runs, coolest: float = -np.inf) -> NDArray[np.float32]:
    """Describe every candidate, float32 (m, columns); jieba is not asked about those whose heat is below `coolest`."""
    hot = look.inside
    if not len(runs.start):
        return np.zeros((0, 0), np.float32)
    parts = (
        _made_of(weighed, hot, runs), _beside(weighed, look, runs), _without(weighed, runs),
        _place(weighed, hot, runs), _strings(weighed, runs, coolest),
    )  # fmt: skip
    return np.concatenate(parts, axis=1, dtype=np.float32)


def _made_of(weighed: Weighed, hot: NDArray[np.float32], runs: Runs) -> NDArray[np.float32]:
    """What the string itself is made of: heat, kinds of characters, cues, how well they go together."""
    size = runs.stop - runs.start
    begin = np.concatenate([[0], np.cumsum(size)[:-1]])
    inside = np.arange(int(size.sum())) + np.repeat(runs.start - begin, size)

    def total(column: NDArray[Any]) -> NDArray[np.float64]:
        sums: NDArray[np.float64] = np.add.reduceat(column, begin, dtype=np.float64)
        return sums

    kinds, cues, fit = weighed.traits.kinds, weighed.traits.cues, weighed.traits.fit
    columns = [runs.heat, runs.heat / size, np.log1p(size)]
    for heat in (hot[inside], np.maximum(weighed.hot[inside], COLD)):
        columns += [total(heat) / size, np.maximum.reduceat(heat, begin), np.minimum.reduceat(heat, begin)]
    columns += [total(kinds[inside] == kind) / size for kind in range(N_KINDS)]
    columns += [total(cues[inside] == cue) for cue in range(1, N_CUES)]
    columns += [total(cues[inside] == 0) / size]
    for measured in (fit.forward, fit.backward, fit.triple, fit.rarer, fit.pair):
        values = measured[inside]
        columns += [total(values) / size, np.minimum.reduceat(values, begin)]
    said, near = weighed.topical.between(runs.start, runs.stop), weighed.topical.near[inside]
    columns += [said / size, said, np.maximum.reduceat(near, begin), np.minimum.reduceat(near, begin)]
    changed = kinds[inside] != kinds[np.maximum(inside - 1, 0)]
    changed[begin] = False
    return np.column_stack([*columns, total(changed)]).astype(np.float32)


def _beside(weighed: Weighed, look: Look, runs: Runs) -> NDArray[np.float32]:
    """What stands before and after it, and how well that goes together with its ends."""
    kinds, cues, fit = weighed.traits.kinds, weighed.traits.cues, weighed.traits.fit
    last, before, after = runs.stop - 1, runs.start - 1, runs.stop
    columns = [kinds[side] == kind for side in (before, after) for kind in _SIDES]
    columns += [
        measured[joint] for joint in (before, last) for measured in (fit.forward, fit.backward, fit.rarer, fit.pair)
    ]
    n = len(kinds)
    columns += [fit.triple[np.maximum(at, 0)] for at in (before - 1, before, last - 1, last)]
    for heat in (look.inside, np.maximum(weighed.hot, COLD)):
        columns += [heat[np.clip(at, 0, n - 1)] for at in (before - 1, before, after, after + 1)]
    columns += [
        weighed.topical.between(np.maximum(runs.start - BESIDE, 0), runs.start),
        weighed.topical.between(after, np.minimum(after + BESIDE, n)),
    ]
    columns += [cues[before] > 0, cues[after] > 0, look.enter[runs.start], look.leave[after]]
    return np.column_stack(columns).astype(np.float32)


def _without(weighed: Weighed, runs: Runs) -> NDArray[np.float32]:
    """How well what stands before it goes together with what stands after it, as if it were not there."""
    folded = weighed.traits.folded
    around = np.column_stack([runs.start - 2, runs.start - 1, runs.stop, runs.stop + 1])
    fit = measure_fit(gram_buckets(folded[np.clip(around, 0, len(folded) - 1)].ravel()), weighed.background)
    middle = [np.reshape(measured, (-1, 4))[:, 1] for measured in (fit.forward, fit.backward, fit.rarer, fit.pair)]
    return np.column_stack([*middle, np.reshape(fit.triple, (-1, 4))[:, :2]]).astype(np.float32)


def _place(weighed: Weighed, hot: NDArray[np.float32], runs: Runs) -> NDArray[np.float32]:
    """Where in its text and page it stands, and what the page is like."""
    starts, page_of = weighed.starts, weighed.page
    begin, end = starts[runs.text], starts[runs.text + 1] - 1  # of the text
    length = end - begin
    page = page_of[runs.start]
    bounds = starts[weighed.first]
    n_chars = np.diff(bounds)[page] - len(APART)
    kinds = weighed.traits.kinds
    warm = np.concatenate([[0], np.cumsum(hot > COLD)])
    shares = [
        np.diff(np.concatenate([[0], np.cumsum(kinds == kind)])[bounds])[page] / n_chars for kind in (LATIN, DIGIT, HAN)
    ]
    n_runs = np.bincount(page, minlength=len(weighed.first) - 1)[page]
    total = np.bincount(page, runs.heat, minlength=len(weighed.first) - 1)[page]
    between = weighed.topical.between
    own = between(runs.start, runs.stop)
    reports = np.diff(np.searchsorted(weighed.reports, bounds))[page]
    n_texts = np.diff(weighed.first)[page] - len(APART)
    return np.column_stack([
        runs.start == begin, runs.stop == end, runs.text == weighed.first[page], np.log1p(length), (runs.stop - runs.start) / length,
        np.log1p(n_runs), np.log1p(n_runs / n_chars * 1000), np.log1p(np.maximum(total - runs.heat, 0)), 100 * reports / (n_chars + 100),
        np.log1p(n_chars), n_texts > 2, *shares, (warm[bounds[page + 1]] - warm[bounds[page]]) / n_chars,
        (warm[end] - warm[begin]) / length, (between(bounds[page], bounds[page + 1]) - own) / n_chars, (between(begin, end) - own) / length,
    ]).astype(np.float32)  # fmt: skip


def _strings(weighed: Weighed, runs: Runs, coolest: float) -> NDArray[np.float32]:
    """What only the strings tell: brackets and names around, words in it, and its other places in the page."""
    plain, bounds = weighed.plain, weighed.starts[weighed.first].tolist()
    keys = [plain[a:b].strip(TRIM) for a, b in zip(runs.start.tolist(), runs.stop.tolist(), strict=True)]
    pages = weighed.page[runs.start].tolist()
    best: dict[tuple[int, str], float] = defaultdict(float)
    times: dict[tuple[int, str], int] = defaultdict(int)
    for known, heat in zip(zip(pages, keys, strict=True), runs.heat.tolist(), strict=True):
        best[known], times[known] = max(best[known], heat), times[known] + 1
    strange = np.bincount([page for page, _ in best], minlength=len(bounds))
    title_ends = weighed.starts[weighed.first[:-1] + 1].tolist()
    repeated: dict[tuple[int, str], list[float]] = {}
    for page, key in best:
        repeated[page, key] = _repeated(plain[bounds[page] : bounds[page + 1]], key, title_ends[page] - bounds[page])
    rows = []
    asked = (runs.heat >= coolest).tolist()
    for page, key, start, stop, ask in zip(pages, keys, runs.start.tolist(), runs.stop.tolist(), asked, strict=True):
        known = page, key
        words = _words(plain, start, stop, key) if ask else NO_WORDS
        row = [*_around(plain, start, stop), *words, *repeated[known]]
        rows.append([*row, best[known], np.log1p(times[known]), np.log1p(strange[page] - 1)])
    return np.array(rows, np.float32)


def _around(plain: str, start: int, stop: int) -> list[float]:
    before, shown, after = plain[max(0, start - 6) : start], plain[start:stop], plain[stop : stop + 6]
    return [
        float(before.endswith(("“", "「", "《", "‘", '"'))), float(after.startswith(("”", "」", "》", "’", '"'))),
        float(before.endswith(("(", "（", "【", "["))), float(after.startswith((")", "）", "】", "]"))),
        float(after.startswith(ENTITY_TAILS)), float(before.endswith(NAME_ASKERS)), float(shown.endswith(COMMON_ENDS)),
        float(sum(c in "，。、；！？," for c in shown)), float(sum(c in "（）()【】《》[]" for c in shown)), float("." in shown),
    ]  # fmt: skip


@lru_cache(maxsize=1)
def tokenizer() -> Any:
    """Return jieba's tokenizer with its own dictionary, read when first asked for."""
    import logging

    import jieba

    jieba.setLogLevel(logging.ERROR)
    words = jieba.Tokenizer()  # of our own: words that the host program adds to jieba's must not change results
    words.initialize()
    return words


def _words(plain: str, start: int, stop: int, key: str) -> list[float]:
    """What jieba makes of the window: words across the string's edges, words in it and how common they are."""
    edge, known = chr(EDGE_CODE), tokenizer().FREQ
    low = max(plain.rfind(edge, 0, start) + 1, start - WINDOW)
    high = min(plain.find(edge, stop), stop + WINDOW)
    across, inside, begin = 0, [], low
    for word in cut_words(plain[low:high]):
        end = begin + len(word)
        across += begin < start < end or begin < stop < end
        if begin < stop and end > start and "\u4e00" <= word[0] <= "\u9fff":
            inside.append(word)
        begin = end
    sizes = [len(word) for word in inside] or [0]
    frequencies = [log1p(known.get(word, 0)) for word in inside] or [0.0]
    return [
        float(across), sizes.count(1) / len(sizes), float(max(sizes)), fsum(frequencies) / len(sizes), min(frequencies),
        log1p(known.get(key, 0)),
    ]  # fmt: skip


def cut_words(text: str) -> list[str]:
    """Cut a text into words by jieba's dictionary."""
    words = tokenizer()
    if compiled.text is not None:
        found: list[str] = compiled.text.cut_words(text, words.FREQ, log(words.total))
        return found
    return list(words.cut(text, HMM=False))


def _repeated(page: str, key: str, title_end: int) -> list[float]:
    """How often the string stands in the page, how various its surroundings are, and whether the title holds it."""
    if len(key) < 2:
        return [0.0, 0.0, 0.0, 0.0]
    before: list[str] = []
    after: list[str] = []
    first = at = page.find(key)
    while at >= 0 and len(before) < MAX_PLACES:
        before.append(page[at - 1 : at])
        after.append(page[at + len(key) : at + len(key) + 1])
        at = page.find(key, at + 1)
    n = max(1, len(before))
    return [np.log1p(len(before)), len(set(before)) / n, len(set(after)) / n, float(0 <= first < title_end)]
