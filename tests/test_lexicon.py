from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.blocks import Blocks, concat
from detector.chars import code_points
from detector.errors import LexiconError
from detector.lexicon import GROUPS, Lexicon, _compile, _parse, append_term, load_lexicon, normalised
from detector.segment import segment_text

FIXED = settings(derandomize=True, deadline=None, max_examples=50)
GAMBLING, SHARE = GROUPS.index("gambling"), GROUPS.index("share")
# A lexicon of five invented cues: the tests do not hang on what the cue files happen to hold.
SMALL = _compile(
    _parse("分享\n分享到\n到此\nqq群\t2\n", "share.tsv", SHARE) | _parse("金渠彩\t3\t一个牌子\n", "own.tsv", GAMBLING)
)


def found(lexicon: Lexicon, blocks: Blocks) -> list[tuple[str, int, str]]:
    """Return (term, block, text as shown) of every hit."""
    hits = zip(*(column.tolist() for column in lexicon.hits(blocks)), strict=True)
    return [(lexicon.terms[term], block, blocks.texts()[block][start:stop]) for term, block, start, stop in hits]


def test_packaged_cues_load() -> None:
    lexicon = load_lexicon()
    assert lexicon.weight.shape == (len(lexicon.terms), len(GROUPS))
    assert (lexicon.weight > 0).any(axis=0).all()
    assert len(lexicon.terms) == len(set(lexicon.terms))
    assert "" not in lexicon.terms


def test_hits_by_block() -> None:
    assert found(SMALL, segment_text("请分享\n无\n金渠彩，金渠彩")) == [
        ("分享", 0, "分享"),
        ("金渠彩", 2, "金渠彩"),
        ("金渠彩", 2, "金渠彩"),
    ]


def test_longest_cue_wins() -> None:
    assert found(SMALL, segment_text("分享到此")) == [("分享到", 0, "分享到")]


def test_capitals_are_found_as_shown() -> None:
    assert found(SMALL, segment_text("加QQ群")) == [("qq群", 0, "QQ群")]


def test_no_cue_across_a_block_edge() -> None:
    assert found(SMALL, segment_text("金渠\n彩")) == []


@pytest.mark.parametrize("blocks", [segment_text(""), segment_text("雨停了。")])
def test_no_hits(blocks: Blocks) -> None:
    assert [column.tolist() for column in SMALL.hits(blocks)] == [[], [], [], []]


def test_astral_characters_do_not_shift_hits() -> None:
    assert found(SMALL, segment_text("𠮷𠮷😀分享𠮷")) == [("分享", 0, "分享")]


def test_cue_at_a_block_edge_does_not_hang_on_the_next_block() -> None:
    """A batch must equal its pages one by one; here the last words of one page and the first of the next make a cue."""
    assert found(SMALL, concat([segment_text("请分享"), segment_text("到此为止")])) == [
        ("分享", 0, "分享"),
        ("到此", 1, "到此"),
    ]


def test_one_odd_capital_does_not_hide_the_cues_of_the_batch() -> None:
    assert found(SMALL, concat([segment_text("加QQ群"), segment_text("İstanbul")])) == [("qq群", 0, "QQ群")]


@FIXED
@given(
    st.lists(
        st.sampled_from(["请", "分享", "到此", "到", "分享到", "金渠", "金渠彩", "彩，此"]), min_size=1, max_size=6
    )
)
def test_batch_hits_as_its_pages_do(lines: list[str]) -> None:
    single = [found(SMALL, segment_text(line)) for line in lines]
    batch = concat([segment_text(line) for line in lines])
    assert found(SMALL, batch) == [(term, i, text) for i, hits in enumerate(single) for term, _, text in hits]


# ------------------------------------------------------------------------------------------------ forms as written

FORMS = _compile(_parse("金渠彩\n开元体育\nbet365\n亚搏app\n88彩\nv8彩\n", "own.tsv", GAMBLING))


def places(text: str) -> list[tuple[str, str]]:
    """Return (term, string as shown) of what is found in a text."""
    return [(FORMS.terms[term], text[start:stop]) for term, start, stop in FORMS.find(code_points(text)).tolist()]


@pytest.mark.parametrize(
    ("text", "term", "shown"),
    [
        ("来金渠彩投注", "金渠彩", "金渠彩"),
        ("來開元體育投注", "开元体育", "開元體育"),
        ("开元体育、", "开元体育", "开元体育"),
        ("ｂｅｔ３６５官网", "bet365", "ｂｅｔ３６５"),
        ("BET365官网", "bet365", "BET365"),
        ("𝐛𝐞𝐭𝟑𝟔𝟓官网", "bet365", "𝐛𝐞𝐭𝟑𝟔𝟓"),
        ("ⓑⓔⓣ③⑥⑤官网", "bet365", "ⓑⓔⓣ③⑥⑤"),
        ("𠮷金·渠·彩投注", "金渠彩", "金·渠·彩"),
        ("金★渠🎰彩", "金渠彩", "金★渠🎰彩"),
        ("★金渠彩★", "金渠彩", "金渠彩"),
        ("金|渠_彩", "金渠彩", "金|渠_彩"),
        ("金\u200b渠彩", "金渠彩", "金\u200b渠彩"),
        ("b\u200be\ufefft365", "bet365", "b\u200be\ufefft365"),
        ("開·元★體\u200b育", "开元体育", "開·元★體\u200b育"),
        ("亞·搏ＡＰＰ下载", "亚搏app", "亞·搏ＡＰＰ"),
    ],
)
def test_a_cue_is_found_however_it_is_written(text: str, term: str, shown: str) -> None:
    assert places(text) == [(term, shown)]


@pytest.mark.parametrize(
    "text",
    [
        "金 渠彩",
        "金，渠彩",
        "金、渠、彩",
        "金,渠彩",
        "金\n渠彩",
        "金★★渠彩",
        "金和渠彩",
        "bet·365",
        "b*e*t*3*6*5",
        "亚搏·app",
        "v·8彩",
        "bet000",
        "8·8彩",
    ],
)
def test_what_is_set_apart_is_no_cue(text: str) -> None:
    assert places(text) == []


def test_every_place_is_one_of_the_text_as_shown() -> None:
    text = "金渠彩★金·渠·彩，金\u200b渠彩"
    assert places(text) == [("金渠彩", "金渠彩"), ("金渠彩", "金·渠·彩"), ("金渠彩", "金\u200b渠彩")]


def test_hits_of_blocks_point_into_the_text_as_shown() -> None:
    assert found(FORMS, segment_text("無\n來開·元·體育\n金渠彩")) == [
        ("开元体育", 1, "開·元·體育"),
        ("金渠彩", 2, "金渠彩"),
    ]


def test_nothing_is_passed_over_at_a_block_edge() -> None:
    assert found(FORMS, segment_text("金·\n渠彩")) == []
    assert found(FORMS, segment_text("金\n·渠彩")) == []


@pytest.mark.parametrize("written", ["開元體育", "ＢＥＴ３６５", "bet365", "𝐛𝐞𝐭"])
def test_terms_are_kept_as_they_are_looked_for(written: str) -> None:
    terms = _compile(_parse(written, "own.tsv", GAMBLING)).terms
    assert terms == [normalised(written)] == [normalised(normalised(written))]


def test_one_term_written_in_two_ways_is_one_cue() -> None:
    assert _parse("開元體育\t1\n开元体育\t3\n", "x.tsv", 7) == {("开元体育", 7): 3.0}


@FIXED
@given(st.text(st.sampled_from("金渠彩開开元體体育ｂe\u200b·★🎰𠮷，8８ ")))
def test_what_is_found_says_the_term_again(text: str) -> None:
    """Whatever is wedged in: the string as shown, taken alone, is the same cue, and places never overlap."""
    hits = FORMS.find(code_points(text)).tolist()
    assert all(places(text[start:stop]) == [(FORMS.terms[term], text[start:stop])] for term, start, stop in hits)
    assert [edge for _, *ends in hits for edge in ends] == sorted(edge for _, *ends in hits for edge in ends)


# --------------------------------------------------------------------------------------------------------- cue files


@pytest.mark.parametrize(
    ("table", "rows"),
    [
        ("term\tweight\n渠水\t2\n", {("渠水", 7): 2.0}),
        ("# 说明\n\n渠水\n", {("渠水", 7): 1.0}),
        (" QQ群 \t 0.5 \t 备注\t更多\n", {("qq群", 7): 0.5}),
        ("渠水\t\t备注\n", {("渠水", 7): 1.0}),
        ("渠水\t1\n渠水\t3\n", {("渠水", 7): 3.0}),
        ("", {}),
    ],
)
def test_cue_tables(table: str, rows: dict[tuple[str, int], float]) -> None:
    assert _parse(table, "x.tsv", 7) == rows


def test_weight_that_is_no_number_is_named_by_file_and_line() -> None:
    with pytest.raises(LexiconError, match=r"x\.tsv:3: the weight '重'"):
        _parse("# 说明\n渠水\t1\n闸门\t重\n", "x.tsv", 0)


@pytest.mark.parametrize("table", ["\t2\n", " \t2\t空\n"])
def test_row_without_a_term_is_refused(table: str, tmp_path: Path) -> None:
    (tmp_path / "own.tsv").write_text(table, "utf-8")
    with pytest.raises(LexiconError):
        load_lexicon([tmp_path / "own.tsv"])


@pytest.mark.parametrize("weight", ["nan", "inf"])
def test_weight_that_is_not_finite_is_refused(weight: str) -> None:
    with pytest.raises(LexiconError):
        _parse(f"渠水\t{weight}\n", "x.tsv", 0)


@pytest.mark.parametrize(("name", "group"), [("share.tsv", SHARE), ("mine.tsv", GAMBLING)])
def test_own_cues_go_to_the_group_of_their_name(name: str, group: int, tmp_path: Path) -> None:
    (tmp_path / name).write_text("渠水闸门\t2.5\n", "utf-8")
    lexicon = load_lexicon([tmp_path / name])
    number = lexicon.terms.index("渠水闸门")
    assert lexicon.weight[number].tolist() == [2.5 * (i == group) for i in range(len(GROUPS))]


def test_own_cues_override(tmp_path: Path) -> None:
    term = load_lexicon().terms[0]
    (tmp_path / f"{GROUPS[0]}.tsv").write_text(f"{term}\t9\n", "utf-8")
    lexicon = load_lexicon([tmp_path / f"{GROUPS[0]}.tsv"])
    assert (lexicon.terms.count(term), lexicon.weight[lexicon.terms.index(term), 0]) == (1, 9)


def test_term_may_be_in_several_groups() -> None:
    lexicon = _compile(_parse("渠水\t2\n", "", SHARE) | _parse("渠水\t3\n雨\n", "", GAMBLING))
    assert lexicon.terms == ["渠水", "雨"]
    assert lexicon.weight[:, [SHARE, GAMBLING]].tolist() == [[2, 3], [0, 1]]
    assert lexicon.member(["share", "gambling"]).tolist() == [1, 2]
    assert lexicon.member(["gambling"]).tolist() == [1, 1]
    assert lexicon.member(["byline"]).tolist() == [0, 0]


@pytest.mark.parametrize("content", [None, "渠水".encode("gbk")], ids=["missing", "not UTF-8"])
def test_own_cues_that_cannot_be_read(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "mine.tsv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(LexiconError, match=r"mine\.tsv: cannot be read as UTF-8"):
        load_lexicon([path])


def test_byte_order_mark_of_a_cue_file_is_dropped(tmp_path: Path) -> None:
    """Notepad and Excel put one before every file they save as UTF-8."""
    (tmp_path / "mine.tsv").write_text("渠水闸门\n", "utf-8-sig")
    assert "渠水闸门" in load_lexicon([tmp_path / "mine.tsv"]).terms


# ------------------------------------------------------------------------------------------------------------ digest


def test_digest_is_stable() -> None:
    assert (
        SMALL.sha256
        == _compile(_parse("分享\n分享到\n到此\nqq群\t2\n", "", SHARE) | _parse("金渠彩\t3\n", "", GAMBLING)).sha256
    )


@pytest.mark.parametrize("rows", [{("渠", 1): 1}, {("渠水", 2): 1}, {("渠水", 1): 2}, {}])
def test_digest_tells_terms_groups_and_weights(rows: dict[tuple[str, int], float]) -> None:
    assert _compile({("渠水", 1): 1}).sha256 != _compile(rows).sha256


# ---------------------------------------------------------------- cue files that grow


def test_a_term_is_appended_to_a_new_file(tmp_path):
    assert append_term(tmp_path / "brand.tsv", "金渠彩", 2, "一个牌子")
    assert append_term(tmp_path / "brand.tsv", "银渠彩", 0.5)
    assert (tmp_path / "brand.tsv").read_text("utf-8") == "金渠彩\t2\t一个牌子\n银渠彩\t0.5\n"


def test_lines_that_are_there_are_kept_and_no_term_is_doubled(tmp_path):
    path = tmp_path / "brand.tsv"
    path.write_text("\ufeff# own\nterm\tweight\nABC888", "utf-8")
    assert not append_term(path, "abc888", 2)
    assert append_term(path, "金渠彩", 2)
    assert path.read_text("utf-8") == "\ufeff# own\nterm\tweight\nABC888\n金渠彩\t2\n"


@pytest.mark.parametrize("form", ["ABC開元體育", "abc开元体育", "ＡＢＣ开元體育"])
def test_a_term_written_in_another_form_is_not_doubled(tmp_path, form):
    assert append_term(tmp_path / "brand.tsv", "ABC開元體育", 2)
    assert not append_term(tmp_path / "brand.tsv", form, 2)
    assert (tmp_path / "brand.tsv").read_text("utf-8") == "ABC開元體育\t2\n"


def test_a_file_that_cannot_be_written_to_is_named(tmp_path):
    with pytest.raises(LexiconError, match="cannot be written to"):
        append_term(tmp_path / "gone" / "brand.tsv", "金渠彩", 2)


@pytest.mark.parametrize(("term", "note"), [("", ""), (" ", ""), ("#金渠", ""), ("金\t渠", ""), ("金渠", "a\nb")])
def test_what_would_break_a_cue_file_is_not_appended(tmp_path: Path, term: str, note: str) -> None:
    with pytest.raises(LexiconError, match="cannot be a line of a cue file"):
        append_term(tmp_path / "brand.tsv", term, 2, note)
    assert not (tmp_path / "brand.tsv").exists()
