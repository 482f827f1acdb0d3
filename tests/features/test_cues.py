import numpy as np
import pytest

from detector.blocks import concat
from detector.features import cues
from detector.lexicon import load_lexicon
from detector.segment import segment_text


def columns(blocks, lexicon):
    return cues.columns(blocks, lexicon, lexicon.hits(blocks))


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A lexicon with made-up terms, so that no change of the package's cues matters."""
    path = tmp_path_factory.mktemp("cues") / "gambling.tsv"
    path.write_text("term\tweight\n阿喏哩\t3\n阿喏哩吖\t1\n吖吖\t1\nqwzx\t1\n", "utf-8")
    return load_lexicon([path])


def gambling(blocks, lexicon):
    X = columns(blocks, lexicon)
    return X[:, [cues.NAMES.index("cue_gambling"), cues.NAMES.index("cover_gambling")]]


def test_three_blocks_by_hand(own):
    blocks = segment_text("阿喏哩和QWZX\n渡口\n阿喏哩吖")
    assert gambling(blocks, own) == pytest.approx(np.array([[np.log1p(4), 7 / 8], [0, 0], [np.log1p(1), 1]]))


def test_cues_do_not_run_over_an_edge(own):
    blocks = concat([segment_text("渡口阿喏"), segment_text("哩渡口")])
    assert gambling(blocks, own).tolist() == [[0, 0], [0, 0]]


def test_a_cue_at_an_edge_is_found_whatever_comes_next(own):
    """“网站” at the end of one block and “首页” at the start of the next gave “网站首页”, and so no cue for either."""
    alone, after = segment_text("渡口阿喏哩"), segment_text("吖渡口")
    assert gambling(concat([alone, after]), own)[0].tolist() == gambling(alone, own)[0].tolist()


def test_a_foreign_letter_does_not_change_other_pages(own):
    strange, plain = segment_text("İzmir港"), segment_text("上QWZX")
    assert gambling(concat([strange, plain]), own)[1].tolist() == gambling(plain, own)[0].tolist()


def test_covers_are_shares(own, batch):
    X = columns(batch, own)
    cover = X[:, [i for i, name in enumerate(cues.NAMES) if name.startswith("cover_")]]
    assert 0 <= cover.min() <= cover.max() <= 1
