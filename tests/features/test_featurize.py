import numpy as np
import pytest

from detector.blocks import concat
from detector.features import FEATURE_NAMES, OWN_NAMES, featurize, links, markup, with_context
from detector.segment import segment, segment_text


@pytest.fixture(scope="module")
def pages(stories):
    """Pages of all kinds: articles, an empty one, one block, plain text."""
    html = [segment(story.html, page_id=story.page_id) for story in stories]
    odd = [segment("<p></p>"), segment("<p>孤零零的一行"), segment_text("纯文本的第一行，\n第二行。", title="纯文本")]
    return [*html[:4], *odd, *html[4:]]


@pytest.fixture(scope="module")
def features(lexicon, words):
    def compute(blocks):
        return with_context(featurize(blocks, lexicon, words), blocks.page_offsets)

    return compute


def test_names_are_unique_and_fit(features, batch):
    assert len(set(FEATURE_NAMES)) == len(FEATURE_NAMES) == features(batch).shape[1]


def test_a_batch_equals_its_pages_one_by_one(features, pages):
    together, apart = features(concat(pages)), np.concatenate([features(page) for page in pages])
    np.testing.assert_array_equal(together, apart)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_permuting_pages_permutes_rows(features, pages, seed):
    order = np.random.default_rng(seed).permutation(len(pages))
    permuted = features(concat([pages[i] for i in order]))
    expected = np.concatenate([features(pages[i]) for i in order])
    np.testing.assert_array_equal(permuted, expected)


def test_nothing_is_infinite(features, pages):
    X = features(concat(pages))
    assert X.dtype == np.float32
    assert not np.isinf(X).any()


@pytest.mark.parametrize("name", [*links.NAMES, *markup.NAMES, "mass_share_0", "log_mass_3", "log_siblings_1"])
def test_what_only_a_dom_can_tell_is_unknown_for_plain_text(lexicon, words, name):
    blocks = concat([segment_text("纯文本的一行。"), segment("<p>网页的一段。</p>")])
    values = featurize(blocks, lexicon, words)[:, OWN_NAMES.index(name)]
    assert np.isnan(values).tolist() == [True, False]


@pytest.mark.parametrize("name", ["log_chars", "han_share", "block_place", "log_repeats", "in_run", "words_spam"])
def test_what_text_alone_tells_is_known_for_plain_text(lexicon, words, name):
    X = featurize(segment_text("纯文本的一行。"), lexicon, words)
    assert np.isfinite(X[0, OWN_NAMES.index(name)])


def test_no_blocks(lexicon, words):
    assert featurize(segment("<p></p>"), lexicon, words).shape == (0, len(OWN_NAMES))
