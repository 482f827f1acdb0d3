import numpy as np
import pytest

from detector.features import links
from detector.segment import segment

THREE = segment(
    "<p>渡口的老船工回忆说</p>"
    '<div><a href="/a">首页</a>|<a href="http://news.other.example/">外站</a></div>'
    '<img src="1.jpg"><img src="2.jpg"><p><a href="http://www.hewan.example/b">河湾村</a>通车</p>',
    host="www.hewan.example",
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("link_density", [0, 4 / 5, 3 / 5]),
        ("log_links", np.log1p([0, 2, 1])),
        ("chars_per_link", np.log1p([0, 2, 3])),
        ("offsite_share", [0, 1 / 2, 0]),
        ("log_images", np.log1p([0, 0, 2])),
    ],
)
def test_three_blocks_by_hand(name, expected):
    assert links.columns(THREE)[:, links.NAMES.index(name)] == pytest.approx(expected)


def test_without_a_host_no_link_leaves_the_site():
    blocks = segment('<p><a href="http://far.example/">远方的网站</a></p>')
    assert links.columns(blocks)[0, links.NAMES.index("offsite_share")] == 0
