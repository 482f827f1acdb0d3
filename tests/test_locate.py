from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.locate import (
    Position,
    find_blocks,
    fold_places,
    line_bounds,
    line_starts,
    literal_places,
    position,
    shown_text,
    string_literals,
)  # fmt: skip

FIXED = settings(derandomize=True, deadline=None, max_examples=100)
TEXTS = st.text(st.sampled_from('水库 \t\n"\\/\u00e9\U0001f600\U00020bb7\u3000a&<'))


@FIXED
@given(st.dictionaries(TEXTS, TEXTS | st.integers() | st.lists(TEXTS), min_size=1), st.booleans())
def test_every_character_of_a_json_string_is_found_again(record, escaped):
    line = json.dumps(record, ensure_ascii=escaped)
    found = string_literals(line)
    assert {key: value for key, (_, _, value) in found.items()} == {
        k: v for k, v in record.items() if isinstance(v, str)
    }
    for start, end, value in found.values():
        places = literal_places(line, start, end)
        assert [json.loads(f'"{line[a:b]}"') for a, b in itertools.pairwise(places)] == list(value)


def test_of_a_key_that_stands_twice_the_last_one_holds():
    assert string_literals('{"text": "一", "text" : "二" , "n": [1, {"text": "三"}]}') == {"text": (24, 25, "二")}
    assert string_literals('{"text": "一", "text": null}') == {}


@FIXED
@given(TEXTS)
def test_folded_text_is_found_again(text):
    places = fold_places(text)
    folded = " ".join(text.split())
    assert len(places) == len(folded) + 1
    assert all(text[a] == c or (c == " " and text[a].isspace()) for a, c in zip(places, folded, strict=False))


@pytest.mark.parametrize(
    ("text", "cut", "left"),
    [
        ("一\n二\n三\n", 1, "一\n三\n"),
        ("一\r\n二\r\n", 1, "一\r\n"),
        ("一\n二", 1, "一"),
        ("一\r\n\r\n二", 1, "一\r\n"),
        ("一\n二", 0, "二"),
        ("一", 0, ""),
        ("\n 一 \n二\n", 0, "\n二\n"),
    ],
)
def test_a_line_goes_with_its_ending(text, cut, left):
    start, stop = line_bounds(text)[cut].cut
    assert text[:start] + text[stop:] == left


@pytest.mark.parametrize(
    ("markup", "said", "source"),
    [
        ("<p>某博官网</p>", "某博官网", "某博官网"),
        ("<p>某<b>博</b>官网</p>", "某博官网", "某<b>博</b>官网"),
        ("<p>某&#21338;官&nbsp;网</p>", "某博官 网", "某&#21338;官&nbsp;网"),
        ("<p>某博 \n <i> 官网", "某博 官网", "某博 \n <i> 官网"),
        ("<script>'某博官网'</script><!-- 某博官网 --><p title='>'>某博官网", "某博官网", "某博官网"),
        ("<p>a < b 某博", "a < b 某博", "a < b 某博"),
    ],
)
def test_what_markup_shows_is_found_in_it(markup, said, source):
    text, places = shown_text(markup)
    at = text.rindex(said)
    assert markup[places[at] : places[at + len(said) - 1] + 1] == source
    assert places[at] == markup.rindex(source)


@pytest.mark.parametrize("markup", ["<" * 50_000, "<!--" * 50_000, "<script>" * 20_000, "&" * 50_000, "<p " * 50_000])
def test_hostile_markup_takes_no_longer_than_its_length(markup):
    shown_text(markup)


def test_blocks_are_found_one_after_another():
    assert find_blocks("首页 新闻 首页 正文", ["首页", "缺", "首页", "正文"]) == [0, None, 6, 9]


@pytest.mark.parametrize(
    ("text", "bounds", "place"),
    [
        ("一二三", (1, 2), Position(1, 2, 1, 3)),
        ("一\r\n二三\n", (3, 5), Position(2, 1, 2, 3)),
        ("一\n二\n三", (0, 3), Position(1, 1, 2, 2)),
        ("一\n二", (0, 2), Position(1, 1, 1, 3)),
        ("\U0001f600二", (1, 2), Position(1, 2, 1, 3)),
        ("一\n", (2, 2), Position(2, 1, 2, 1)),
    ],
)
def test_lines_and_columns_from_one(text, bounds, place):
    assert position(line_starts(text), 1, *bounds) == place
