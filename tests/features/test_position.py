import numpy as np
import pytest

from detector.blocks import concat
from detector.features import position
from detector.segment import segment, segment_text

BATCH = concat([segment_text("一二三四\n五六\n七八"), segment("<p></p>"), segment_text("只有一行")])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("block_place", [1 / 6, 3 / 6, 5 / 6, 1 / 2]),
        ("char_place", [2 / 8, 5 / 8, 7 / 8, 1 / 2]),
        ("log_index", np.log1p([0, 1, 2, 0])),
        ("log_index_from_end", np.log1p([2, 1, 0, 0])),
        ("log_page_blocks", np.log([3, 3, 3, 1])),
        ("log_page_chars", np.log1p([8, 8, 8, 4])),
    ],
)
def test_places_count_from_the_start_of_each_page(name, expected):
    assert position.columns(BATCH)[:, position.NAMES.index(name)] == pytest.approx(expected)


def test_empty_pages_at_both_ends_are_no_trouble():
    empty = segment("<p></p>")
    padded = concat([empty, BATCH, empty])
    assert position.columns(padded).tolist() == position.columns(BATCH).tolist()
