import io
import json
import os
import pickle
import shutil
import zipfile
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import skops.io
from rough import random_heat

from detector.blocks import concat
from detector.errors import ModelError
from detector.features import OWN_NAMES, beside_own, featurize
from detector.forest import Forest
from detector.labels import DEFAULT_POLICY, POLICIES, Label
from detector.model import Layout, load_classifier, load_model, plainly_chrome, read_arrays, read_card, save_model
from detector.model_folder import find_model
from detector.screen import Screen
from detector.segment import segment
from detector.spans import Judges, SpanModel
from detector.train import Fitted


@pytest.fixture
def broken(tiny_folder, tmp_path):
    """A copy of the tiny model, to be broken."""
    return shutil.copytree(tiny_folder, tmp_path / "broken_v1")


def edit_card(folder, **changes):
    card = json.loads((folder / "card.json").read_text("utf-8")) | changes
    (folder / "card.json").write_text(json.dumps(card), "utf-8")


def reseal(folder):
    """Write the digests of the files as they are now into the card, as somebody who means harm would."""
    names = json.loads((folder / "card.json").read_text("utf-8"))["sha256"]
    edit_card(folder, sha256={name: sha256((folder / name).read_bytes()).hexdigest() for name in names})


def change_array(folder, name, change, file="weights.npz"):
    arrays = read_arrays(folder / file)
    arrays[name] = change(arrays[name])
    np.savez_compressed(folder / file, **arrays)
    reseal(folder)


def test_the_second_pass_is_asked_only_where_the_first_doubts(tiny_model, lexicon, batch, monkeypatch):
    open_model = replace(tiny_model, screen=Screen.from_pipeline(None))
    own, layout = featurize(batch, lexicon, tiny_model.words), Layout.of(batch)
    first = tiny_model.first.predict_proba(beside_own(own, layout.page_offsets), layout.page_offsets)
    certain = first[:, Label.CHROME] >= np.median(first[:, Label.CHROME])
    everywhere = open_model.predict_proba(own, layout)
    monkeypatch.setattr("detector.model.CERTAIN", float(np.median(first[:, Label.CHROME])))
    found = open_model.predict_proba(own, layout)
    assert found[certain].tolist() == first[certain].tolist() != everywhere[certain].tolist()
    np.testing.assert_allclose(found[~certain], everywhere[~certain], atol=1e-6)
    monkeypatch.setattr("detector.model.CERTAIN", 0.0)  # nothing is asked
    assert open_model.predict_proba(own, layout).tolist() == first.tolist()


def test_no_pass_is_asked_about_what_the_screen_holds_back(tiny_model, lexicon, batch):
    own, layout = featurize(batch, lexicon, tiny_model.words), Layout.of(batch)
    low, high = np.full(len(OWN_NAMES), -9, np.float32), np.full(len(OWN_NAMES), 9, np.float32)
    weights = np.where(np.array(OWN_NAMES) == "link_density", 1, 0).astype(np.float32)
    model = replace(tiny_model, screen=Screen(low, high, weights, np.array([-0.5], np.float32)))
    held = own[:, OWN_NAMES.index("link_density")] >= 0.5
    found = model.predict_proba(own, layout)
    assert 0 < held.sum() < len(own)
    assert found[held].tolist() == plainly_chrome(int(held.sum())).tolist()
    assert (found[~held] != plainly_chrome(1)).any(axis=1).all()


# ---------------------------------------------------------------- round trip


def test_saved_and_loaded_it_answers_alike(tiny_model, tiny_folder, tmp_path, lexicon, batch):
    save_model(tmp_path / "again_v1", tiny_model, {}, read_arrays(tiny_folder / "golden.npz"))
    again = load_model(tmp_path / "again_v1")
    assert again.classify(batch, lexicon).tolist() == tiny_model.classify(batch, lexicon).tolist()
    assert replace(again.card, sha256={}) == replace(tiny_model.card, sha256={})


def test_scikit_learns_own_objects_give_the_same_answers(tiny_folder, tiny_model, tiny_rows):
    rows, _ = tiny_rows
    fitted = Fitted(**load_classifier(tiny_folder))
    found = tiny_model.predict_proba(rows.own, rows.layout)
    np.testing.assert_allclose(found, fitted.predict_proba(rows), atol=1e-4)


def test_probabilities_sum_to_one(tiny_model, lexicon, batch):
    proba = tiny_model.classify(batch, lexicon)
    assert proba.shape == (len(batch), 3)
    assert proba.sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_a_batch_equals_its_pages_one_by_one(tiny_model, lexicon, stories):
    pages = [segment(story.html) for story in stories]
    apart = np.concatenate([tiny_model.classify(page, lexicon) for page in pages])
    np.testing.assert_allclose(tiny_model.classify(concat(pages), lexicon), apart, atol=1e-4)


def test_no_blocks_have_no_probabilities(tiny_model, lexicon):
    assert tiny_model.classify(segment("<p></p>"), lexicon).shape == (0, 3)


def test_unknown_features_give_probabilities_still(tiny_model, batch):
    unknown = np.full((len(batch), len(OWN_NAMES)), np.nan, np.float32)
    assert np.isfinite(tiny_model.predict_proba(unknown, Layout.of(batch))).all()


def test_retrained_in_place_it_is_read_anew(broken):
    before = load_model(broken).card.spam_threshold
    edit_card(broken, spam_threshold=before / 2)
    stat = (broken / "card.json").stat()
    os.utime(broken / "card.json", ns=(stat.st_atime_ns, stat.st_mtime_ns + 1_000_000_000))
    assert load_model(broken).card.spam_threshold == before / 2


# ---------------------------------------------------------------- policies


def test_a_policy_sets_the_thresholds_and_leaves_the_model_as_it_was(tiny_model):
    before = tiny_model.card.spam_threshold
    cards = {policy: tiny_model.under(policy).card for policy in POLICIES}
    found = {policy: [card.spam_threshold, card.text_spam_threshold] for policy, card in cards.items()}
    assert found == tiny_model.card.policies
    assert tiny_model.under(DEFAULT_POLICY).card == tiny_model.card
    assert tiny_model.card.spam_threshold == before


def test_a_policy_sets_the_threshold_of_strings_too(tiny_model):
    forest = Forest(*(np.zeros(1) for _ in Forest._fields))
    spans = SpanModel(random_heat(), (), Judges((), forest), (0.3, 0.6, 0.9), 0.6)
    model = replace(tiny_model, spans=spans)
    assert [model.under(policy).spans.threshold for policy in ("strict", "balanced", "lenient")] == [0.3, 0.6, 0.9]
    assert tiny_model.under("strict").spans is None


def test_an_unknown_policy_is_refused(tiny_model):
    with pytest.raises(KeyError, match="paranoid"):
        tiny_model.under("paranoid")


# ---------------------------------------------------------------- where it is looked for


def test_unknown_model_says_where_it_looked():
    with pytest.raises(
        ModelError, match=r"no model 'nowhere_v9'; there is news_v1 .looked for card.json in .*models/nowhere_v9"
    ):
        find_model("nowhere_v9")


def test_environment_names_the_model(tiny_folder, monkeypatch):
    monkeypatch.setenv("DETECTOR_MODEL", str(tiny_folder))
    assert find_model() == tiny_folder


def test_a_name_goes_before_the_environment(tiny_folder, monkeypatch):
    monkeypatch.setenv("DETECTOR_MODEL", "nowhere_v9")
    assert find_model(tiny_folder) == tiny_folder


def test_the_default_model_stands_in_the_project(monkeypatch):
    monkeypatch.delenv("DETECTOR_MODEL", raising=False)
    assert find_model() == Path(__file__).resolve().parents[1] / "models" / "news_v1"


# ---------------------------------------------------------------- damage


def truncate(path):
    path.write_bytes(path.read_bytes()[:200])


def change_byte(path):
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.write_bytes(body)


@pytest.mark.parametrize("damage", [truncate, change_byte, Path.unlink])
@pytest.mark.parametrize("name", ["weights.npz", "golden.npz"])
def test_a_damaged_file_is_named(broken, name, damage):
    damage(broken / name)
    with pytest.raises(ModelError, match=f"broken_v1/{name}"):
        load_model(broken)


def test_a_truncated_file_with_its_digest_is_named(broken):
    truncate(broken / "weights.npz")
    reseal(broken)
    with pytest.raises(ModelError, match=r"broken_v1/weights.npz: not a readable array file"):
        load_model(broken)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # the NaN is met on the way
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(
            "first/0/weights0",
        ),
        "second/0/biases1",
        pytest.param(
            "words/weights",
        ),
    ],
)
def test_weights_that_are_no_numbers_are_refused(broken, name):
    change_array(broken, name, lambda array: np.full_like(array, np.nan))
    with pytest.raises(ModelError, match="broken_v1"):
        load_model(broken)


def test_words_for_weights_are_refused(broken):
    change_array(broken, "words/intercept", lambda array: array.astype(str))
    with pytest.raises(ModelError, match=r"broken_v1/weights.npz: holds weights that are no numbers"):
        load_model(broken)


def test_other_weights_of_the_right_shape_are_refused(broken):
    change_array(broken, "second/0/biases1", lambda array: array + np.float32([1, 0, -1]))
    with pytest.raises(ModelError, match=r"broken_v1: gives other answers"):
        load_model(broken)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("first/0/weights0", "weights.npz"),
        ("n_chars", "golden.npz"),
        pytest.param(
            "own",
            "golden.npz",
        ),
    ],
)
def test_arrays_that_do_not_fit_together_are_refused(broken, name, file):
    change_array(broken, name, lambda array: array[..., :-1], file)
    with pytest.raises(ModelError, match=r"broken_v1: the model's arrays do not fit"):
        load_model(broken)


@pytest.mark.parametrize("kind", ["first/", "second/", "words/"])
def test_missing_arrays_are_refused(broken, kind):
    arrays = {k: v for k, v in read_arrays(broken / "weights.npz").items() if not k.startswith(kind)}
    np.savez_compressed(broken / "weights.npz", **arrays)
    reseal(broken)
    with pytest.raises(ModelError, match=r"broken_v1: the model's arrays do not fit"):
        load_model(broken)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"features_version": -1}, "made for features version -1"),
        ({"feature_names": [*OWN_NAMES[:-1], "phase_of_moon"]}, "phase_of_moon"),
        ({"feature_names": [*OWN_NAMES[::-1]]}, "their order or meaning"),
    ],
)
def test_a_model_for_other_features_says_which(broken, changes, words):
    edit_card(broken, **changes)
    with pytest.raises(ModelError, match=rf"broken_v1: .*{words}.*retrain"):
        load_model(broken)


@pytest.mark.parametrize("card", ["", "{", "[]", "null", '{"name": "x"}', '{"nonsense": 1}'])
def test_what_is_no_card_is_named(broken, card):
    (broken / "card.json").write_text(card, "utf-8")
    with pytest.raises(ModelError, match=r"broken_v1/card.json: not a model card"):
        load_model(broken)


@pytest.mark.parametrize("changes", [{"feature_names": None}, {"sha256": None}])
def test_a_card_with_fields_of_another_type_is_named(broken, changes):
    edit_card(broken, **changes)
    with pytest.raises(ModelError, match=r"broken_v1/card.json"):
        load_model(broken)


def test_a_missing_card_is_no_model(broken):
    (broken / "card.json").unlink()
    with pytest.raises(ModelError, match="broken_v1"):
        load_model(broken)
    with pytest.raises(ModelError, match=r"broken_v1/card.json"):
        read_card(broken)


# ---------------------------------------------------------------- files that mean harm


def test_an_archive_that_unpacks_to_too_much(tmp_path):
    np.savez_compressed(tmp_path / "bomb.npz", zeros=np.zeros(65 << 20, np.uint8))
    with pytest.raises(ModelError, match=r"bomb.npz: unpacks to 68,\d+,\d+ bytes"):
        read_arrays(tmp_path / "bomb.npz")


def test_a_pickle_in_an_archive_is_not_run(tmp_path):
    np.savez(tmp_path / "pickle.npz", objects=np.array([{"一": 1}], object))
    with pytest.raises(ModelError, match=r"pickle.npz: not a readable array file"):
        read_arrays(tmp_path / "pickle.npz")


@pytest.mark.parametrize("body", [b"", b"PK\x03\x04", "不是数组".encode(), b"\x93NUMPY"])
def test_what_is_no_archive_is_named(tmp_path, body):
    (tmp_path / "odd.npz").write_bytes(body)
    with pytest.raises(ModelError, match=r"odd.npz: not a readable array file"):
        read_arrays(tmp_path / "odd.npz")


def test_a_damaged_stream_is_named(tmp_path):
    path = tmp_path / "stream.npz"
    np.savez_compressed(path, a=np.arange(1000))
    body = bytearray(path.read_bytes())
    start = 30 + int.from_bytes(body[26:28], "little") + int.from_bytes(body[28:30], "little")
    body[start : start + 20] = b"\xff" * 20
    path.write_bytes(body)
    with pytest.raises(ModelError, match=r"stream.npz"):
        read_arrays(path)


def test_an_array_that_claims_more_than_it_holds_is_named(tmp_path):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": (1 << 60,)})
    with zipfile.ZipFile(tmp_path / "claim.npz", "w") as archive:
        archive.writestr("a.npy", header.getvalue())
    with pytest.raises(ModelError, match=r"claim.npz"):
        read_arrays(tmp_path / "claim.npz")


class Hostile:
    """Runs when it is unpickled, and leaves a file behind."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("name", ["weights.npz", "golden.npz", "classifier.skops"])
def test_a_pickle_under_another_name_is_not_run(broken, tmp_path, name):
    (broken / name).write_bytes(pickle.dumps(Hostile(tmp_path / "was here")))
    reseal(broken)
    with pytest.raises(ModelError, match=f"broken_v1/{name}"):
        load_classifier(broken) if name == "classifier.skops" else load_model(broken)
    assert not (tmp_path / "was here").exists()


@pytest.mark.parametrize("name", ["weights.npz", "classifier.skops"])
def test_a_member_that_leads_out_of_the_folder_is_not_written(broken, name):
    with zipfile.ZipFile(broken / name, "a") as archive:
        archive.writestr("../../escaped.npy", "渡口")
    reseal(broken)
    before = sorted(broken.parent.rglob("*"))
    with suppress(ModelError):
        load_classifier(broken) if name == "classifier.skops" else load_model(broken)
    assert sorted(broken.parent.rglob("*")) == before


def test_scikit_learns_file_that_unpacks_to_too_much(broken):
    with zipfile.ZipFile(broken / "classifier.skops", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", b" " * (65 << 20))
    reseal(broken)
    with pytest.raises(ModelError, match=r"broken_v1/classifier.skops: unpacks to 68,\d+,\d+ bytes"):
        load_classifier(broken)


def test_scikit_learns_file_of_another_version_is_refused(broken, monkeypatch):
    """Prediction reads plain arrays and does not care."""
    monkeypatch.setattr("sklearn.base.__version__", "0.18")
    with pytest.raises(ModelError, match=r"classifier.skops: refused \(InconsistentVersion"):
        load_classifier(broken)
    assert load_model(broken)


class Foreign:
    """A type that no model file has any business to hold."""


def test_scikit_learns_file_with_a_foreign_type_is_refused(broken):
    skops.io.dump({"first": [Foreign()], "second": []}, broken / "classifier.skops")
    reseal(broken)
    with pytest.raises(ModelError, match=r"broken_v1/classifier.skops: refused \(UntrustedTypes"):
        load_classifier(broken)


@pytest.mark.parametrize("damage", [truncate, change_byte, Path.unlink])
def test_scikit_learns_file_damaged_is_named(broken, damage):
    damage(broken / "classifier.skops")
    with pytest.raises(ModelError, match=r"broken_v1/classifier.skops"):
        load_classifier(broken)


def test_classify_is_featurize_and_predict(tiny_model, lexicon, batch):
    own = featurize(batch, lexicon, tiny_model.words)
    expected = tiny_model.predict_proba(own, Layout.of(batch))
    assert tiny_model.classify(batch, lexicon).tolist() == expected.tolist()
