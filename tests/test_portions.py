from __future__ import annotations

import numpy as np
import pytest

from detector import portions
from detector.lexicon import Lexicon
from detector.model import Model
from detector.portions import find_in_portions
from detector.segment import segment

INFECTED = (
    "记者从泊璟丽国际app官方下载委宣传部获悉，全年新建小学三所。泊璟丽国际app官方下载办公厅负责人说，资金已到位。"
)
HONEST = "渠水涨了一尺，下游的田不用再抽水。"
PAGES = [["", INFECTED], ["水库", HONEST], ["", HONEST, INFECTED], ["", ""]]
NOTHING = [np.full(len(page), -1) for page in PAGES]


@pytest.mark.parametrize("portion", [80, 150, 1000])
def test_what_is_found_does_not_depend_on_the_portions(
    portion: int, model: Model, lexicon: Lexicon, monkeypatch: pytest.MonkeyPatch
) -> None:
    hits = lexicon.hits(segment(""))
    assert model.spans
    whole = find_in_portions(PAGES, NOTHING, hits, model.spans, lexicon)
    monkeypatch.setattr(portions, "PORTION", portion)
    assert find_in_portions(PAGES, NOTHING, hits, model.spans, lexicon) == whole
    assert [bool(found) for found in whole] == [True, False, True, False]


def test_a_text_that_is_too_long_is_searched_piece_by_piece(
    model: Model, lexicon: Lexicon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portions, "PORTION", 2 * len(INFECTED))
    monkeypatch.setattr(portions, "PIECE", len(INFECTED))
    assert model.spans
    page = ["水库", HONEST, INFECTED * 5]
    (found,) = find_in_portions([page], [np.full(3, -1)], lexicon.hits(segment("")), model.spans, lexicon)
    assert {f.text for f in found} == {2}
    assert {page[2][f.start : f.stop] for f in found} == {"泊璟丽国际app官方下载"}
    assert len(found) == 10
