from __future__ import annotations

import numpy as np
import pytest

from detector.chars import DIGIT, HAN, LATIN, PUNCT, SPACE, SYMBOL, char_kinds, code_points, fold_codes


def folded(text: str) -> str:
    return "".join(map(chr, fold_codes(code_points(text)).tolist()))


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
    ("character", "kind"),
    [("河", HAN), ("𠮷", HAN), ("a", LATIN), ("7", DIGIT), ("，", PUNCT), (" ", SPACE), ("🎰", SYMBOL), ("★", SYMBOL)],
)
def test_kinds(character, kind):
    assert char_kinds(code_points(character)).tolist() == [kind]


def test_code_points_count_astral_characters_once():
    assert code_points("a𠮷b").dtype == np.uint32
    assert len(code_points("a𠮷b")) == 3
