import re

import numpy as np

from detector.charts import MAX_POINTS, histogram, line_chart


def points(svg):
    return [
        tuple(map(float, pair.split())) for pair in re.search(r'curve a"><path d="M([^"]*)"', svg).group(1).split("L")
    ]


def test_a_curve_goes_from_corner_to_corner():
    found = points(line_chart({"a": (np.array([0.0, 1.0]), np.array([0.0, 1.0]))}, x="recall", y="precision"))
    (left, low), (right, high) = found
    assert left < right
    assert low > high  # up is less in SVG


def test_long_curves_are_thinned_and_keep_their_ends():
    x = np.linspace(0, 1, 5000)
    whole, ends = (
        points(line_chart({"a": (x, x)}, x="", y="")),
        points(line_chart({"a": (x[[0, -1]], x[[0, -1]])}, x="", y="")),
    )
    assert len(whole) == MAX_POINTS
    assert [whole[0], whole[-1]] == ends


def test_a_curve_of_nothing_is_left_out():
    svg = line_chart({"a": (np.zeros(0), np.zeros(0))}, x="", y="", dots=True, diagonal=True)
    assert "<circle" not in svg


def test_bars_count():
    svg = histogram(np.array([0.01, 0.02, 1.0]), x="f1", y="pages", bins=10)
    assert re.findall(r"<title>[\d.]+ to [\d.]+: (\d+)", svg) == ["2", *["0"] * 8, "1"]


def test_names_are_escaped():
    assert "<b>" not in line_chart({}, x="<b>", y="<b>")
