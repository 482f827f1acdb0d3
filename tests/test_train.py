import json
from dataclasses import replace

import numpy as np
import pytest

from detector.augment import OWN_PART, dealt, part_of
from detector.corpus import gather
from detector.errors import InputError, ModelError
from detector.evaluate import page_f1
from detector.features import OWN_NAMES
from detector.labeled import read_labeled
from detector.labels import DEFAULT_POLICY, POLICIES, Label
from detector.model import Layout, load_model
from detector.ngrams import block_scores, gram_counts
from detector.rows import SENTENCE, TEXT_COPY, Rows, save_rows, select_pages
from detector.segment import segment_text
from detector.train import (
    CLASSIFIERS,
    CONTENT_THRESHOLDS,
    INJECTED_STEP,
    MAX_FALSE_SPAM,
    SPAM_THRESHOLDS,
    _word_groups,
    _words_of,
    choose_thresholds,
    compare,
    cross_validate,
    evaluate_crossed,
    evaluate_model,
    fit,
    fit_model,
    fit_words,
    fit_words_estimator,
    load_words,
    rows_crossed,
    save_words,
    site_folds,
    spam_thresholds,
    train,
    training_rows,
    training_sentences,
)

pytestmark = pytest.mark.usefixtures("serial")


# ---------------------------------------------------------------- folds


@pytest.mark.parametrize("k", [2, 3, 5, 9])
@pytest.mark.parametrize("seed", [0, 1])
def test_folds_never_share_a_site(k, seed):
    sites = [f"{number % 5}.example" for number in range(23)]
    folds = site_folds(sites, k, seed)
    assert len(folds) == min(k, 5)
    assert [{sites[i] for i in train_} & {sites[i] for i in test} for train_, test in folds] == [set()] * len(folds)
    assert sorted(i for _, test in folds for i in test) == list(range(23))


def test_folds_depend_on_the_seed_alone():
    sites = [f"{number % 7}.example" for number in range(30)]
    first, again, other = ([test.tolist() for _, test in site_folds(sites, 3, seed)] for seed in (1, 1, 2))
    assert first == again != other


@pytest.mark.parametrize("sites", [[], ["x.example"] * 4])
def test_one_site_is_too_few(sites):
    with pytest.raises(InputError, match="at least two sites"):
        site_folds(sites, 5, 0)


# ---------------------------------------------------------------- words


def test_words_are_fitted_on_the_pages_asked_for(labeled_folder):
    labeled = gather(read_labeled(labeled_folder))
    some, every = fit_words(labeled, np.arange(12)), fit_words(labeled)
    assert some.weights.shape == every.weights.shape
    assert not np.array_equal(some.weights, every.weights)


def test_words_of_two_classes_never_say_the_third(labeled_folder):
    labeled = gather(read_labeled(labeled_folder), augment=False)
    known = labeled.label >= 0
    words = _words_of(fit_words_estimator(gram_counts(labeled.blocks)[known], labeled.label[known]))
    assert words.intercept[Label.SPAM] == -10
    assert not words.weights[:, Label.SPAM].any()
    assert np.array_equal(words.weights[:, 0], -words.weights[:, 1])


def test_words_know_the_written_spam_of_their_sites_and_no_other(labeled_folder, monkeypatch):
    """No page holds spam; two sites share one part of what is written, and only its lines are learned."""
    monkeypatch.setattr("detector.train.written_lines", lambda part: [f"阿喏哩{part}号下注送彩金"] * 30)
    labeled = gather(read_labeled(labeled_folder), augment=False)
    p = block_scores(segment_text("阿喏哩下注送彩金"), fit_words(labeled))
    assert p[0].argmax() == Label.SPAM
    asked = []
    monkeypatch.setattr("detector.train.written_lines", lambda part: asked.append(part) or ["阿喏哩下注送彩金"])
    fit_words(labeled, np.array([0, 7]))
    assert asked == sorted({part_of(labeled.sites[0]), part_of(labeled.sites[7])})


def test_sites_that_share_written_spam_are_never_apart():
    sites = [f"{number}.example" for number in range(40)]
    for inside, outside in site_folds(_word_groups(sites), 4, 0):
        assert not {part_of(sites[i]) for i in inside} & {part_of(sites[i]) for i in outside}


def test_where_all_sites_share_one_part_they_are_told_apart_by_site():
    sites = [site for site in map("{}.example".format, range(60)) if part_of(site) == 1]
    assert _word_groups(sites) == sites


def test_words_saved_and_loaded_are_the_same(tiny_rows, tmp_path):
    _, words = tiny_rows
    save_words(tmp_path / "words.npz", words)
    again = load_words(tmp_path / "words.npz")
    assert np.array_equal(again.weights, words.weights)
    assert np.array_equal(again.intercept, words.intercept)


def test_no_site_is_scored_by_words_that_saw_it(labeled_folder, lexicon):
    """Words fitted on a page know it by heart; what training sees must be what a new site would get."""
    labeled = gather(read_labeled(labeled_folder))
    rows, words = rows_crossed(labeled, lexicon)
    column = OWN_NAMES.index("words_content")
    content = rows.label == Label.CONTENT
    by_heart = training_scores(labeled, words)[content, 0]
    assert rows.own[content, column].mean() < by_heart.mean()


def training_scores(labeled, words):
    return block_scores(labeled.blocks, words)


# ---------------------------------------------------------------- rows to train on


def test_training_data_is_looked_for_in_every_folder(labeled_folder, tiny_rows, tmp_path, lexicon):
    rows, words = tiny_rows
    save_rows(tmp_path / "rows" / "rows.npz", rows)
    save_words(tmp_path / "rows" / "words.npz", words)
    both, used = training_rows([tmp_path, labeled_folder], lexicon)
    assert both.page_ids == rows.page_ids * 2
    assert np.array_equal(used.weights, words.weights)


def test_rows_alone_are_enough(tiny_rows, tmp_path, lexicon):
    save_rows(tmp_path / "rows.npz", tiny_rows[0])
    save_words(tmp_path / "words.npz", tiny_rows[1])
    assert training_rows([tmp_path], lexicon)[0].page_ids == tiny_rows[0].page_ids


def test_of_injected_sentences_only_some_train_block_labels(tmp_path):
    marked = [f"记者从⟦brand:阿喏哩{number}⟧局获悉，渠段已通水。" for number in range(4 * INJECTED_STEP)]
    (tmp_path / "injected.txt").write_text("\n".join(marked), "utf-8")
    (tmp_path / "honest.jsonl").write_text('{"text": "渡口停航。"}\n' * 7, "utf-8")
    found = training_sentences(tmp_path)
    assert [any(document.spans) for document in found] == [True] * 4 + [False] * len(dealt(range(7), OWN_PART))
    assert training_sentences(tmp_path / "gone") == []


def test_nothing_to_train_on_says_where_it_looked(tmp_path, lexicon):
    with pytest.raises(InputError, match=rf"no rows.npz and no label tables below {tmp_path}"):
        training_rows([tmp_path], lexicon)


def test_rows_without_their_words_name_the_file(tiny_rows, tmp_path, lexicon):
    save_rows(tmp_path / "rows.npz", tiny_rows[0])
    with pytest.raises(ModelError, match=r"words.npz"):
        training_rows([tmp_path], lexicon)


# ---------------------------------------------------------------- fitting


@pytest.fixture(scope="module")
def some_rows(tiny_rows):
    """Pages of three sites."""
    rows, _ = tiny_rows
    return select_pages(rows, np.flatnonzero([site != "beiling.example" for site in rows.sites]))


def answers(rows, seed):
    return fit(rows, CLASSIFIERS["mlp"], seed).predict_proba(rows)


@pytest.mark.filterwarnings("ignore:Got `batch_size`:UserWarning")  # three sites are fewer blocks than a batch
def test_training_is_reproducible_from_its_seed(some_rows):
    assert np.array_equal(answers(some_rows, 0), answers(some_rows, 0))


def test_a_model_fitted_twice_is_the_same(tiny_rows, lexicon, tiny_model):
    again = fit_model(*tiny_rows, lexicon, "tiny_v1")
    assert all(
        np.array_equal(a, b)
        for a, b in zip(again.first.networks[0].weights, tiny_model.first.networks[0].weights, strict=True)
    )
    assert again.card.content_threshold == tiny_model.card.content_threshold
    assert again.card.spam_threshold == tiny_model.card.spam_threshold
    assert again.card.data_sha256 == tiny_model.card.data_sha256


@pytest.mark.parametrize("name", ["logistic", "boosting"])
def test_other_classifiers_answer_in_label_order(tiny_rows, name):
    rows, _ = tiny_rows
    proba = fit(rows, CLASSIFIERS[name]).predict_proba(rows)
    known = rows.label >= 0
    assert proba.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert (proba[known].argmax(axis=1) == rows.label[known]).mean() > 0.9


def test_every_page_is_predicted_by_a_model_without_its_site(tiny_rows):
    """A fold's predictions are those of a model fitted on the other sites."""
    rows, _ = tiny_rows
    proba = cross_validate(rows, CLASSIFIERS["logistic"], seed=0)
    outside, inside = site_folds(rows.sites, 5, 0)[0]
    alone = fit(select_pages(rows, outside), CLASSIFIERS["logistic"]).predict_proba(select_pages(rows, inside))
    np.testing.assert_allclose(proba[np.isin(rows.page_index, inside)], alone, atol=1e-6)


def test_a_class_that_never_occurred_has_no_probability(tiny_rows):
    rows, _ = tiny_rows
    honest = replace(rows, label=np.where(rows.label == Label.SPAM, np.int8(-1), rows.label))
    assert not fit(honest, CLASSIFIERS["logistic"]).predict_proba(honest)[:, Label.SPAM].any()


# ---------------------------------------------------------------- thresholds


def rows_of(label, n_chars):
    n = len(label)
    layout = Layout(np.array(n_chars), np.zeros((n, 4), np.int32), np.array([0, n]))
    own = np.zeros((n, len(OWN_NAMES)), np.float32)
    return Rows(own, np.array(label, np.int8), layout, np.zeros(n, np.uint64), ["a"], ["a.example"])


def test_thresholds_by_hand():
    """Chrome reaches 0.42 of content, and an honest block 0.702 of spam: the thresholds are the next ones above."""
    rows = rows_of([0, 0, 1, 1, 2], [50] * 5)
    proba = np.float32([[0.9, 0.1, 0], [0.46, 0.54, 0], [0.42, 0.58, 0], [0.1, 0.198, 0.702], [0.1, 0.1, 0.8]])
    content, spam = choose_thresholds(rows, proba)
    assert content == pytest.approx(0.45)
    assert spam == pytest.approx(0.705)
    assert page_f1(rows, proba, content, spam).tolist() == [1]


def test_spam_that_cannot_be_told_gets_the_highest_threshold():
    rows = rows_of([0, 1, 2], [50] * 3)
    proba = np.float32([[0, 0, 1], [0, 1, 0], [0, 0, 1]])
    assert choose_thresholds(rows, proba)[1] == pytest.approx(SPAM_THRESHOLDS[-1])


def honest_rows(page_ids, kind=Label.CONTENT):
    """Two thousand honest blocks that are never spam, and as many pages of one more, which a model takes for spam."""
    n = 2000 + len(page_ids)
    bounds = np.array([0, *range(2000, n + 1)])
    layout = Layout(np.full(n, 50), np.zeros((n, 4), np.int32), bounds)
    label = np.full(n, kind, np.int8)
    label[0] = Label.CONTENT
    own = np.zeros((n, len(OWN_NAMES)), np.float32)
    rows = Rows(own, label, layout, np.zeros(n, np.uint64), ["a", *page_ids], ["a.example"] * (len(page_ids) + 1))
    proba = np.zeros((n, 3), np.float32)
    proba[2000:, Label.SPAM] = np.linspace(0.601, 0.899, len(page_ids))
    return rows, proba


@pytest.mark.parametrize("kind", [Label.CONTENT, Label.CHROME])
def test_a_policy_allows_so_many_honest_blocks_and_no_more(kind):
    rows, proba = honest_rows([f"{number}" for number in range(12)], kind)
    found = spam_thresholds(rows, proba)
    assert set(found) == set(POLICIES)
    assert found["strict"] < found["balanced"] < found["lenient"]
    assert choose_thresholds(rows, proba)[1] == found[DEFAULT_POLICY][0]
    assert all(page == text for page, text in found.values())  # without sentences there is nothing to tell them by
    alarms = {policy: int((proba[:, Label.SPAM] >= t).sum()) for policy, (t, _) in found.items()}
    assert alarms == {policy: int(most[0] * (2012 - (kind == Label.CHROME))) for policy, most in MAX_FALSE_SPAM.items()}


def test_sentences_set_the_threshold_for_plain_text():
    found = spam_thresholds(*honest_rows([f"{SENTENCE}{i}{TEXT_COPY}" for i in range(1000)]))
    kept = {policy: 0.601 + 0.298 * (1 - most[1]) for policy, most in MAX_FALSE_SPAM.items()}
    assert {policy: text for policy, (_, text) in found.items()} == pytest.approx(kept, abs=0.008)
    assert {page for page, _ in found.values()} == {SPAM_THRESHOLDS[0]}


@pytest.mark.parametrize("label", [[2, 2], [-1, -1]])
def test_without_honest_blocks_there_are_thresholds_still(label):
    found = spam_thresholds(rows_of(label, [50, 50]), np.full((2, 3), 1 / 3, np.float32))
    assert list(found.values()) == [(SPAM_THRESHOLDS[0],) * 2] * len(POLICIES)


# ---------------------------------------------------------------- the whole


def test_a_trained_folder_has_its_papers(tiny_folder):
    assert {path.name for path in tiny_folder.iterdir()} >= {
        "card.json",
        "classifier.skops",
        "golden.npz",
        "weights.npz",
    }
    card = json.loads((tiny_folder / "card.json").read_text("utf-8"))
    assert card["name"] == "tiny_v1"
    assert card["data"]["sites"] == ["beiling.example", "haibin.example", "linhe.example", "qingshan.example"]
    assert card["content_threshold"] in CONTENT_THRESHOLDS.tolist()
    assert card["spam_threshold"] in SPAM_THRESHOLDS.tolist()
    assert set(card["policies"]) == set(POLICIES)
    assert card["policies"]["strict"] <= card["policies"]["balanced"] <= card["policies"]["lenient"]
    assert card["policies"][DEFAULT_POLICY] == [card["spam_threshold"], card["text_spam_threshold"]]
    assert set(card["scores"]["compared"]) == {"mlp"}
    assert set(card["scores"]["held_out"]["by_site"]) == set(card["data"]["sites"])


def test_comparing_reports_every_classifier(tiny_rows):
    rows, _ = tiny_rows
    said = []
    found = dict(compare(rows, ["logistic"], said.append))
    assert said == ["cross-validating logistic over 4 sites"]
    assert found["logistic"].summary()["page_f1"] > 0.5


def test_training_says_what_it_does_and_saves_the_default(tiny_rows, lexicon, tmp_path):
    said = []
    found = train(*tiny_rows, lexicon, tmp_path / "new_v1", compared=("logistic",), report=said.append)
    assert list(found) == ["mlp", "logistic"]
    assert said[-1] == "fitting on all sites"
    assert load_model(tmp_path / "new_v1").card.classifier["kind"] == "mlp"


def test_an_unknown_classifier_is_named(tiny_rows, lexicon, tmp_path):
    with pytest.raises(InputError, match="nonsense"):
        train(*tiny_rows, lexicon, tmp_path / "new_v1", compared=("nonsense",))


# ---------------------------------------------------------------- scoring


def test_scores_across_sites(tiny_rows):
    rows, proba, scores = evaluate_crossed(tiny_rows[0])["held_out_sites"]
    assert proba.shape == (len(rows.label), 3)
    assert scores.confusion.sum() == (rows.label >= 0).sum()


def test_a_model_is_scored_apart_on_sites_it_knows(tiny_rows, tiny_model):
    rows, _ = tiny_rows
    renamed = replace(rows, sites=["new.example"] * 3 + rows.sites[3:])
    found = evaluate_model(renamed, tiny_model)
    assert list(found) == ["sites_not_trained_on", "sites_trained_on"]
    assert found["sites_not_trained_on"][0].page_ids == rows.page_ids[:3]
    assert list(evaluate_model(rows, tiny_model)) == ["sites_trained_on"]
