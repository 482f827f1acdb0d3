from __future__ import annotations

import numpy as np
import pytest

from detector.chars import DIGIT, HAN, LATIN, PUNCT, SPACE, SYMBOL, char_kinds, code_points, fold_codes, without_wedges


def folded(text: str, **how: bool) -> str:
    return "".join(map(chr, fold_codes(code_points(text), **how).tolist()))


def left(text: str) -> str:
    """Return what is left of a text without wedges."""
    places = without_wedges(code_points(text))
    return text if places is None else "".join(text[at] for at in places.tolist())


@pytest.mark.parametrize(
    ("shown", "matched"),
    [
        ("ｂｅｔ３６５", "bet000"),
        ("BET365", "bet000"),
        ("博彩𝐛𝐞𝐭", "博彩bet"),
        ("①②〇", "000"),
        ("體育平臺", "体育平台"),
        ("⼈", "人"),
        ("河湾村", "河湾村"),
        ("🎰", "🎰"),
        ("", ""),
    ],
)
def test_forms_fold_one_for_one(shown, matched):
    assert folded(shown) == matched


@pytest.mark.parametrize(
    ("shown", "matched"),
    [("ｂｅｔ３６５", "bet365"), ("𝐛𝐞𝐭𝟯𝟲𝟱", "bet365"), ("①②〇", "120"), ("體育88", "体育88"), ("", "")],
)
def test_digits_can_be_kept(shown, matched):
    assert folded(shown, keep_digits=True) == matched


@pytest.mark.parametrize(
    ("shown", "plain"),
    [
        ("澳·门·金沙", "澳门金沙"),
        ("澳★门🎰金*沙", "澳门金沙"),
        ("b\u200bet\ufeff365", "bet365"),
        ("澳\u200b门", "澳门"),
        ("\u200b澳门\u200b", "澳门"),
        ("★澳门★", "★澳门★"),
        ("澳★★门", "澳★★门"),
        ("澳，门、金 沙", "澳，门、金 沙"),
        ("a★b·c", "a★b·c"),
        ("澳★b", "澳★b"),
        ("10*20", "10*20"),
        ("★", "★"),
        ("", ""),
    ],
)
def test_what_breaks_up_words_is_passed_over(shown, plain):
    assert left(shown) == plain


def test_where_nothing_breaks_up_words_there_is_nothing_to_take_out():
    assert without_wedges(code_points("河湾村，bet365 官网")) is None


@pytest.mark.parametrize(
    ("character", "kind"),
    [("河", HAN), ("𠮷", HAN), ("a", LATIN), ("7", DIGIT), ("，", PUNCT), (" ", SPACE), ("🎰", SYMBOL), ("★", SYMBOL)],
)
def test_kinds(character, kind):
    assert char_kinds(code_points(character)).tolist() == [kind]


def test_code_points_count_astral_characters_once():
    assert code_points("a𠮷b").dtype == np.uint32
    assert len(code_points("a𠮷b")) == 3
