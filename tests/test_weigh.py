from __future__ import annotations

import numpy as np
import pytest
from rough import random_heat

from detector.blocks import concat
from detector.chars import EDGE_CODE
from detector.lexicon import GROUPS, _compile, _parse
from detector.segment import segment_text
from detector.weigh import APART, CUE_GROUPS, Cued, weigh

PAGES = [["标题", "昨日金渠彩召开會議", ""], [""], ["Ｑ１", "🎰全县各地的春耕𠮷", "无"]]
CUES = _compile(
    _parse("金渠彩\n", "brand.tsv", GROUPS.index("brand")) | _parse("赌博\n", "report.tsv", GROUPS.index("report"))
)


def weighed_of(pages):
    return weigh(pages, random_heat(), CUES)


def inside(weighed, number):
    """The places of text `number` of all."""
    return slice(weighed.starts[number], weighed.starts[number + 1] - 1)


def page_of(weighed, number):
    """The places of all texts of page `number`, and of what sets it apart."""
    return slice(*weighed.starts[weighed.first[number : number + 2]])


def test_every_text_stands_at_its_place():
    weighed = weighed_of(PAGES)
    assert weighed.texts == [text for page in PAGES for text in (*page, *APART)]
    shown = ["".join(map(chr, weighed.traits.codes[inside(weighed, i)].tolist())) for i in range(len(weighed.texts))]
    assert shown == weighed.texts
    assert weighed.plain[inside(weighed, 1)] == "昨日金渠彩召开会议"
    assert weighed.plain[inside(weighed, weighed.first[2])] == "q0"


def test_cues_found_in_blocks_need_not_be_looked_for_again(monkeypatch):
    """Blocks in any order and some left out, other texts between them: the same as looking through all of it."""
    blocks = concat(
        [segment_text("警方通报赌博案\n昨日金渠彩召开會議\n金渠彩"), segment_text("无\n打击赌博，金 渠彩·金渠彩")]
    )
    texts, hits = blocks.texts(), CUES.hits(blocks)
    pages = [["金渠彩标题", texts[2], texts[0]], ["", texts[4], texts[3]], ["", "赌博，金渠彩"], [""]]
    number = np.array([-1, 2, 0, -1, 4, 3, -1, -1, -1])
    expected, asked = weighed_of(pages), []
    find = type(CUES).find
    monkeypatch.setattr(type(CUES), "find", lambda self, codes: asked.append(len(codes)) or find(self, codes))
    found = weigh(pages, random_heat(), CUES, Cued(number, hits))
    assert found.traits.cues.tolist() == expected.traits.cues.tolist()
    assert found.reports.tolist() == expected.reports.tolist()
    assert sum(asked) == len("金渠彩标题赌博，金渠彩") + 3


def test_every_character_knows_its_page():
    weighed = weighed_of(PAGES)
    assert np.diff(weighed.first).tolist() == [len(page) + len(APART) for page in PAGES]
    assert [set(weighed.page[page_of(weighed, i)].tolist()) for i in range(len(PAGES))] == [{0}, {1}, {2}]
    assert weighed.page.tolist() == sorted(weighed.page.tolist())
    assert len(weighed.page) == len(weighed.hot) == len(weighed.plain)


@pytest.mark.parametrize("text", ["𠮷👉🎰", "停航\ud800公告", "\ufffd", "a\u200bb", "ﷺ㎡㍿"])
def test_odd_characters_shift_nothing(text):
    weighed = weighed_of([["", text, "无"]])
    assert len(weighed.plain) == len(weighed.hot) == weighed.starts[-1]
    assert np.diff(weighed.starts)[:3].tolist() == [1, len(text) + 1, 2]
    assert weighed.plain[inside(weighed, 2)] == "无"


def test_edges_tell_nothing_and_all_else_something():
    weighed = weighed_of(PAGES)
    assert np.isneginf(weighed.hot[weighed.traits.codes == EDGE_CODE]).all()
    assert np.isfinite(weighed.hot[weighed.traits.codes != EDGE_CODE]).all()


def test_text_set_apart_by_spaces_tells_nothing():
    weighed = weighed_of([["", "全 国 各 地 的 春 耕", "全国各地 的春耕"]])
    assert [bool(np.isfinite(weighed.hot[inside(weighed, i)]).all()) for i in (1, 2)] == [False, True]


@pytest.mark.parametrize(
    ("text", "covered"),
    [
        ("昨日金渠彩召开", "金渠彩"),
        ("昨日金·渠·彩召开", "金·渠·彩"),
        ("昨日金渠彩金渠彩召开", "金渠彩金渠彩"),
        ("昨日金渠，彩召开", ""),
    ],
)
def test_cues_cover_their_characters_as_shown(text, covered):
    weighed = weighed_of([["", text]])
    cues = weighed.traits.cues[inside(weighed, 1)]
    assert "".join(c for c, cue in zip(text, cues, strict=True) if cue) == covered
    assert set(cues.tolist()) <= {0, CUE_GROUPS.index("brand") + 1}


def test_talk_about_gambling_is_no_cue_but_known():
    weighed = weighed_of([["", "网络赌博害人"], ["", "赌博"]])
    assert not weighed.traits.cues.any()
    assert weighed.plain[weighed.reports[0] :].startswith("赌博害人")
    assert weighed.page[weighed.reports].tolist() == [0, 1]


def test_a_batch_is_weighed_as_its_pages_one_by_one():
    pages = [*PAGES, ["金渠彩全县", "各地的春耕金渠彩"], ["金渠彩"]]
    together = weighed_of(pages)
    for number, page in enumerate(pages):
        alone = weighed_of([page])
        mine, its = page_of(together, number), page_of(alone, 0)
        assert together.hot[mine] == pytest.approx(alone.hot[its], abs=1e-4)
        assert together.traits.cues[mine].tolist() == alone.traits.cues[its].tolist()
        assert together.plain[mine] == alone.plain[its]


def test_what_a_page_begins_with_does_not_hang_on_the_page_before():
    page = ["全县各地的春耕"]
    alone, after = weighed_of([page]), weighed_of([["昨日金渠彩"], page])
    mine, its = inside(after, after.first[1]), inside(alone, 0)
    assert after.plain[mine] == alone.plain[its] == page[0]
    assert after.hot[mine] == pytest.approx(alone.hot[its], abs=1e-4)


@pytest.mark.parametrize("pages", [[[""]], [["", ""], [""]]])
def test_nothing_to_weigh(pages):
    assert np.isneginf(weighed_of(pages).hot).all()
