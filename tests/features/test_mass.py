import numpy as np
import pytest

from detector.blocks import concat
from detector.features import mass
from detector.segment import segment, segment_text

TWO = "河水上涨，渡口停航。"  # ten characters of prose
PAGE = f'<div><p>{TWO}</p><p>{TWO}</p></div><div><a href="/">首页</a><p>栏目</p></div>'


def column(blocks, name):
    return mass.columns(blocks)[:, mass.NAMES.index(name)].tolist()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mass_share_0", [1 / 2, 1 / 2, 0, 0]),
        ("mass_share_1", [1, 1, 0, 0]),
        ("link_share_0", [0, 0, 1, 0]),
        ("log_mass_1", np.log1p([20, 20, 0, 0])),
        ("prose_share_0", [1, 1, 0, 0]),
        ("log_page_prose", np.log1p([20] * 4)),
    ],
)
def test_text_is_massed_under_elements(name, expected):
    assert column(segment(PAGE), name) == pytest.approx(expected)


def test_links_and_lines_without_marks_are_no_prose():
    blocks = segment(f'<p>没有标点的一行</p><p><a href="/">{TWO}</a></p><p>{TWO}</p>')
    assert mass.prose_chars(blocks).tolist() == [0, 0, 10]


@pytest.mark.parametrize(
    ("gain", "pages", "first", "last"),
    [
        ([-1, 5, -2, 4, -9, 1], [0, 6], [1] * 6, [3] * 6),
        ([3, -1, 7, -5], [0, 2, 2, 4], [0, 0, 2, 2], [0, 0, 2, 2]),
        ([-3, -1, -2], [0, 3], [1] * 3, [1] * 3),
        ([], [0, 0], [], []),
    ],
)
def test_densest_run(gain, pages, first, last):
    found = mass.densest_run(np.array(gain, float), np.array(pages))
    assert [bounds.tolist() for bounds in found] == [first, last]


def test_a_tie_of_runs_is_broken_alike_behind_any_page():
    alone = mass.densest_run(np.array([-0.8, 0.1, -1.2, 0.1]), np.array([0, 4]))
    behind = mass.densest_run(np.array([0.57598481, -0.8, 0.1, -1.2, 0.1]), np.array([0, 1, 5]))
    assert [bounds[-1] for bounds in alone] == [bounds[-1] - 1 for bounds in behind]


def test_the_run_is_the_long_text():
    html = "<li>首页</li><li>要闻</li>" + f"<p>{TWO * 3}</p>" * 3 + "<li>版权</li>"
    blocks = segment(html)
    assert column(blocks, "in_run") == [0, 0, 1, 1, 1, 0]
    assert column(blocks, "run_share") == pytest.approx([1] * 6)


def test_the_headline_is_the_block_that_the_title_holds():
    title = "<title>青石桥修复完工_沿江新闻</title>"
    blocks = segment(f"{title}<li>首页</li><h1>青石桥修复完工</h1><p>{TWO}</p>")
    assert column(blocks, "title_match") == [0, 1, 0]
    assert column(blocks, "title_cover")[1] == pytest.approx(7 / 12)
    assert column(blocks, "after_headline") == pytest.approx([-np.log(2), 0, np.log(2)])


def test_without_a_headline_the_distance_is_unknown():
    blocks = concat([segment_text("第一行没有题目\n第二行也没有"), segment("<title>石桥</title><p>石桥村通车了</p>")])
    assert np.isnan(column(blocks, "after_headline")[:2]).all()


@pytest.mark.parametrize(
    "title",
    [
        pytest.param(" "),
        "\u3000",
        "",
    ],
)
def test_a_blank_title_is_no_title(title):
    """One record whose title was a space ended the whole run with a traceback."""
    assert column(segment_text("河湾村通车", title=title), "title_cover") == [0]
