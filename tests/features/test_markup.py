import pytest

from detector.features import markup
from detector.segment import segment

THREE = segment(
    '<div class="footer"><div id="zoom"><p>正文第<b>一段</b></p></div></div>'
    "<nav><ul><li>首页</li></ul></nav>"
    '<div style="display: none">看不见的字</div>'
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tag_p", [1, 0, 0]),
        ("tag_item", [0, 1, 0]),
        ("tag_div", [0, 0, 1]),
        ("in_nav", [0, 1, 0]),
        ("in_ul", [0, 1, 0]),
        ("in_article", [0, 0, 0]),
        ("name_article", [1, 0, 0]),
        ("name_footer", [1 / 2, 0, 0]),
        ("bold_share", [2 / 5, 0, 0]),
        ("hidden", [0, 0, 1]),
        ("log_named", pytest.approx([1.0986, 0, 0], abs=1e-4)),
    ],
)
def test_three_blocks_by_hand(name, expected):
    assert markup.columns(THREE)[:, markup.NAMES.index(name)].tolist() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("trs_editor", "article"),
        ("main-nav", "nav"),
        ("xgyd", "related"),
        ("jiathis", "share"),
        ("ad_top", "ad"),
        ("pinglun", "comment"),
        ("copyright", "footer"),
        ("biaoti", "title"),
    ],
)
def test_class_names_belong_to_families(name, family):
    assert markup.family_mask(name) >> list(markup.FAMILIES).index(family) & 1


@pytest.mark.parametrize(("name", "family"), [("shadow", "ad"), ("read", "ad"), ("vintage", "tag"), ("", "content")])
def test_class_names_that_only_look_alike(name, family):
    assert not markup.family_mask(name) >> list(markup.FAMILIES).index(family) & 1


def test_depth_counts_elements():
    shallow, deep = (segment(html) for html in ("<p>一段文字</p>", "<div><div><p>一段文字</p></div></div>"))
    depth = markup.NAMES.index("depth")
    assert markup.columns(deep)[0, depth] - markup.columns(shallow)[0, depth] == 2


def test_masks_are_kept_and_dropped_when_there_are_too_many(monkeypatch):
    monkeypatch.setattr(markup, "MAX_MASKS", 2)
    names = ["news_con", "x1", "x2", "x3", "news_con"]
    for _ in range(3):
        assert markup.family_masks(names) == [markup.family_mask(name) for name in names]
        assert markup.family_masks(["x9"]) == [markup.family_mask("x9")]
        assert len(markup._MASKS) <= 6
