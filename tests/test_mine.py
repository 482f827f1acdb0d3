from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from minecorpus import BRANDS, HONEST, records

import detector.mine
from detector.blocks import RawPage
from detector.lexicon import normalised
from detector.mine import (
    Proposal,
    Sheet,
    Text,
    _before_known_tails,
    _before_tails,
    _bounds,
    _candidates,
    _count,
    _finder,
    _inside_letters,
    _is_eligible,
    _is_phrase,
    _whole,
    kind_of,
    log_odds,
    mine,
    note_of,
    weight_of,
    write_jsonl,
    write_table,
)  # fmt: skip
from detector.pipeline import detect

TOTALS = (1_000, 100_000)


def pages(per_site=2, urls=True):
    for row in records(per_site):
        yield RawPage.from_text(row["text"], page_id=row["id"], url=row["url"] if urls else None)


@pytest.fixture(scope="module")
def mined(model, lexicon):
    return mine(detect(pages(), model, lexicon=lexicon), model, lexicon)


@pytest.fixture(scope="module")
def new(mined):
    return [p for p in mined if not p.known]


# ---------------------------------------------------------------- the whole


def test_invented_brands_come_out_on_top(new):
    brands = [p.term for p in new if p.kind == "brand"]
    assert set(brands[:3]) == BRANDS


def test_honest_names_of_many_pages_do_not_come_out(mined):
    shown = [p.term for p in mined if p.score >= 1.5]  # from where the command shows them
    assert set(shown) >= BRANDS
    assert not [term for term in shown if any(name in term for name in HONEST)]


def test_a_tail_that_follows_different_brands_is_proposed_as_a_tail(new):
    assert [p.term for p in new if p.kind == "tail"] == ["优享专线"]
    assert "优享专线" not in {p.term for p in new if p.kind == "brand"}


def test_pages_and_sites_are_counted(new):
    counts = {p.term: (p.pages, p.sites) for p in new}
    assert all(2 <= sites <= pages <= 4 for pages, sites in (counts[brand] for brand in BRANDS))


def test_examples_show_the_term_as_it_stands_on_the_page(new):
    for proposal in new:
        assert 1 <= len(proposal.examples) <= 3
        assert all(proposal.term in normalised(example) for example in proposal.examples)
        assert all(len(example) <= len(proposal.term) + 40 for example in proposal.examples)


def test_a_known_brand_is_marked(mined):
    assert {p.term for p in mined if p.known} == {"必威"}


def test_pages_of_one_site_count_less(model, lexicon):
    def scores(per_site):
        found = mine(detect(pages(per_site), model, lexicon=lexicon), model, lexicon)
        return {p.term: p.score for p in found}

    apart, together = scores(1), scores(30)
    assert all(apart[brand] > together[brand] for brand in BRANDS)


def test_without_a_url_each_page_is_a_site(model, lexicon):
    found = mine(detect(pages(urls=False), model, lexicon=lexicon), model, lexicon)
    assert all(p.pages == p.sites for p in found)


def test_fewer_pages_than_asked_for_are_no_proposal(model, lexicon):
    found = mine(detect(pages(), model, lexicon=lexicon), model, lexicon, min_pages=4)
    assert "珀岚" not in {p.term for p in found}
    assert all(p.pages >= 4 for p in found)


def test_the_order_of_pages_does_not_matter(model, lexicon, mined):
    found = mine(detect(reversed(list(pages())), model, lexicon=lexicon), model, lexicon)
    assert [p[:6] for p in found] == [p[:6] for p in mined]


def test_candidates_seen_once_are_forgotten_when_there_are_too_many(model, lexicon, monkeypatch):
    monkeypatch.setattr(detector.mine, "MAX_CANDIDATES", 0)
    assert mine(detect(list(pages())[:2], model, lexicon=lexicon), model, lexicon) == []


def test_pages_that_fail_and_a_model_without_spans_do_no_harm(model, lexicon):
    assert mine(detect([RawPage.from_text("")], model), model, lexicon) == []
    blind = dataclasses.replace(model, spans=None)
    found = mine(detect(pages(), blind, lexicon=lexicon), blind, lexicon)
    assert not {p.term for p in found} & HONEST


def test_half_a_character_in_a_title_does_no_harm(model, lexicon):
    page = RawPage.from_text("渡口今日停航。", title="停航\ud800公告")
    assert mine(detect([page], model, lexicon=lexicon), model, lexicon) == []


def test_nothing_in_nothing_out(model, lexicon):
    assert mine([], model, lexicon) == []


# ---------------------------------------------------------------- pieces


def test_word_bounds_are_jiebas_and_those_of_kinds():
    assert _bounds("沐宸8app下载") == [0, 1, 2, 3, 6, 8]
    assert _bounds("宣传部") == [0, 3]
    assert _bounds("") == []


@pytest.mark.parametrize("term", ["澜庭泊", "沐宸8", "mgm1888", "开云"])
def test_names(term):
    assert _is_eligible(term)


@pytest.mark.parametrize("term", ["泊", "888", "mg", "教育局", "从澜庭泊", "澜庭泊的", "澜庭泊沐宸屿骏珀岚槿汐"])
def test_no_names(term):
    assert not _is_eligible(term)


@pytest.mark.parametrize(
    ("text", "start", "stop", "inside"),
    [
        ("mgmt", 0, 3, True),
        ("1mgm", 1, 4, False),
        ("从mgm官网", 1, 4, False),
        ("沐宸88", 0, 3, True),
        ("澜庭泊", 0, 3, False),
    ],
)
def test_letters_that_go_on(text, start, stop, inside):
    assert _inside_letters(text, start, stop) == inside


def test_the_same_letters_in_an_honest_word_are_not_counted():
    judge = _before_tails(_finder(["官网"]), np.array([0.8]))
    text = Text("mgm官网，Omgmt", "mgm官网，omgmt", 0, [])
    tally = _count([Sheet("a.example", [text])], ["mgm"], judge)["mgm"]
    assert (tally.pages, dict(tally.suspicious), tally.examples) == (1, {"a.example": 0.8}, ["mgm官网，Omgmt"])


def test_several_common_words_are_a_phrase():
    assert _is_phrase("记者昨日点击租赁中心")
    assert not _is_phrase("凤凰时代")


def test_candidates_of_an_injected_string_are_at_its_head():
    find = _finder(["官网", "入口"])
    text = "记者从澜庭泊官网优享入口获悉"
    assert "澜庭泊" in set(_candidates(Text(text, text, 0, [(3, 12, 1.0)]), find))
    assert "优享" not in set(_candidates(Text(text, text, 0, [(3, 12, 1.0)]), find))


def test_chrome_is_not_searched_for_tails():
    find = _finder(["官网"])
    assert "澜庭泊" in set(_candidates(Text("澜庭泊官网", "澜庭泊官网", 0, []), find))
    assert not list(_candidates(Text("澜庭泊官网", "澜庭泊官网", 1, []), find))


def test_letters_before_tails():
    find = _finder(["官网", "登录入口", "入口"])
    assert list(_before_known_tails("，澜庭泊官网登录入口。沐宸8入口", find)) == ["澜庭泊", "沐宸8"]
    assert list(_before_known_tails("入口", find)) == []


def proposal(term, pages, kind="brand"):
    return Proposal(kind, term, 1.0, pages, pages, False, [f"从{term}官网"])


@pytest.mark.parametrize(
    ("pages", "left"),
    [
        ({"庭泊": 9, "澜庭泊": 9, "县澜庭泊": 2}, {"澜庭泊"}),
        ({"bet": 9, "沐宸bet": 4, "屿骏bet": 4}, {"沐宸bet", "屿骏bet"}),
        ({"bet": 9, "沐宸bet": 2}, {"bet"}),
        ({"澜庭泊": 4, "沐宸8": 4}, {"澜庭泊", "沐宸8"}),
        ({}, set()),
    ],
)
def test_of_strings_inside_one_another_the_whole_is_kept(pages, left):
    assert {p.term for p in _whole([proposal(*item) for item in pages.items()])} == left


def test_more_suspicious_pages_score_higher_and_clean_ones_lower():
    scores = [log_odds(*counts, TOTALS) for counts in ((9, 0), (3, 0), (3, 30), (0, 30))]
    assert scores == sorted(scores, reverse=True)
    assert scores[1] > 1.96 > scores[2]


def test_no_suspicious_text_at_all_is_no_error():
    assert log_odds(1, 1, (0, 10)) > 0


# ---------------------------------------------------------------- output


def test_the_table():
    assert list(write_table([proposal("沐宸8", 12)])) == [
        "rank  kind   term                  score  pages  sites  example",
        "   1  brand  沐宸8                   1.0     12     12  从沐宸8官网",
    ]


def test_the_json_lines():
    (line,) = write_jsonl([proposal("沐宸8", 12)])
    assert json.loads(line) == {
        "rank": 1, "kind": "brand", "term": "沐宸8", "score": 1.0, "pages": 12, "sites": 12, "known": False,
        "examples": ["从沐宸8官网"],
    }  # fmt: skip


def test_what_a_cue_file_gets(tmp_path):
    assert [kind_of(tmp_path / name) for name in ("tail.tsv", "brand.tsv", "mine.tsv")] == ["tail", "brand", "brand"]
    assert [weight_of(proposal("甲乙", 2, kind)) for kind in ("brand", "tail")] == [2, 0.5]
    assert note_of(proposal("甲乙", 2)) == "mined: 2 pages, 2 sites, score 1.0"
