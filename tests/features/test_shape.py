import numpy as np
import pytest

from detector.blocks import concat
from detector.features import shape
from detector.segment import segment, segment_text


def column(blocks, name):
    return shape.columns(blocks)[:, shape.NAMES.index(name)].tolist()


THREE = segment_text("他说：“水退了。”\n首页 > 新闻 > 正文\n2014-05-06 09:30 来源：")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("log_chars", np.log1p([9, 12, 20])),
        ("han_share", [5 / 9, 6 / 12, 2 / 20]),
        ("digit_share", [0, 0, 12 / 20]),
        ("stop_share", [1 / 9, 0, 0]),
        ("quote_share", [2 / 9, 0, 0]),
        ("separator_share", [0, 2 / 12, 2 / 20]),
        ("space_share", [0, 4 / 12, 2 / 20]),
        ("log_stops", np.log1p([1, 0, 0])),
        ("ends_with_stop", [1, 0, 0]),
        ("ends_with_colon", [0, 0, 1]),
        ("has_date", [0, 0, 1]),
        ("has_clock", [0, 0, 1]),
    ],
)
def test_three_blocks_by_hand(name, expected):
    assert column(THREE, name) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["2011年春", "记于2011-12", "（2011/12/3）", "2011.12", "１９９８年"])
def test_dates_in_all_forms(text):
    assert column(segment_text(text), "has_date") == [1]


@pytest.mark.parametrize("text", ["电话12345", "第201号", "年", "2011", "10:5"])
def test_numbers_that_are_no_dates(text):
    assert column(segment_text(text), "has_date") == column(segment_text(text), "has_clock") == [0]


def test_brackets_open_a_block():
    assert column(segment_text("【打印】\n（记者周立）\n打印】"), "starts_bracket") == [1, 1, 0]


def test_characters_above_the_bmp_count_as_han():
    assert column(segment_text("𠮷野家A"), "han_share") == [0.75]


@pytest.mark.parametrize(("before", "after"), [("成立于2014", "年报全文下载"), ("门牌09", ":30开门")])
def test_a_date_does_not_run_over_the_edge_of_a_page(before, after):
    """A page that ended in a year was dated by the first character of whatever page came next in its batch."""
    first, second = segment_text(before), segment_text(after)
    both = shape.columns(concat([first, second]))
    assert both.tolist() == [*shape.columns(first).tolist(), *shape.columns(second).tolist()]


def test_no_blocks_give_no_rows():
    assert shape.columns(segment("<p> </p>")).shape == (0, len(shape.NAMES))
