from dataclasses import fields

import numpy as np
import pytest

from detector.errors import LabelError
from detector.features import OWN_NAMES
from detector.model import Layout
from detector.rows import Rows, concat_rows, load_rows, save_rows, select_pages


def make(page_ids=("a", "b+spam"), sizes=(2, 3), seed=0):
    """Rows of made-up numbers, which half precision holds exactly."""
    random = np.random.default_rng(seed)
    n = sum(sizes)
    own = random.integers(-8, 8, (n, len(OWN_NAMES))).astype(np.float32)
    own[0, 0] = np.nan
    holders = np.stack([np.arange(n), *[np.repeat(np.arange(len(sizes)), sizes) + n + k for k in (0, 10, 20)]], axis=1)
    layout = Layout(random.integers(1, 90, n), holders.astype(np.int32), np.cumsum([0, *sizes]))
    label = random.integers(-1, 3, n).astype(np.int8)
    hashes = random.integers(0, 2**63, n).astype(np.uint64)
    return Rows(own, label, layout, hashes, list(page_ids), [f"{name[0]}.example" for name in page_ids])


def same_partition(a, b):
    """Whether two numberings put the same blocks together."""
    return np.array_equal(np.equal.outer(a, a), np.equal.outer(b, b))


def test_saved_and_loaded_they_are_the_same(tmp_path):
    rows = make()
    save_rows(tmp_path / "deep" / "rows.npz", rows)
    again = load_rows(tmp_path / "deep" / "rows.npz")
    assert np.array_equal(again.own, rows.own, equal_nan=True)
    assert (again.label.tolist(), again.hashes.tolist()) == (rows.label.tolist(), rows.hashes.tolist())
    assert (again.page_ids, again.sites) == (rows.page_ids, rows.sites)
    assert again.layout.n_chars.tolist() == rows.layout.n_chars.tolist()
    assert again.layout.page_offsets.tolist() == rows.layout.page_offsets.tolist()
    assert again.sha256 == rows.sha256


@pytest.mark.parametrize("level", range(4))
def test_holders_keep_apart_what_they_kept_apart(tmp_path, level):
    rows = make(("a", "b", "c"), (2, 3, 2))
    save_rows(tmp_path / "rows.npz", rows)
    found = load_rows(tmp_path / "rows.npz").layout.holders[:, level]
    assert same_partition(found, rows.layout.holders[:, level])


def test_empty_pages_come_back(tmp_path):
    save_rows(tmp_path / "rows.npz", make(("a", "b", "c"), (2, 0, 1)))
    assert load_rows(tmp_path / "rows.npz").layout.page_offsets.tolist() == [0, 2, 2, 3]


def test_concat_puts_pages_one_after_another():
    both = concat_rows([make(), make(("c",), (2,), seed=1)])
    assert both.layout.page_offsets.tolist() == [0, 2, 5, 7]
    assert both.page_ids == ["a", "b+spam", "c"]
    assert not set(both.layout.holders[:5].ravel()) & set(both.layout.holders[5:].ravel())


@pytest.mark.parametrize("pages", [[0, 2], [2, 0]])
def test_selected_pages_keep_their_order(pages):
    rows = make(("a", "b", "c"), (2, 3, 2))
    some = select_pages(rows, np.array(pages))
    assert (some.page_ids, some.sites) == (["a", "c"], ["a.example", "c.example"])
    assert some.hashes.tolist() == rows.hashes[[0, 1, 5, 6]].tolist()
    assert some.layout.page_offsets.tolist() == [0, 2, 4]


def test_concat_of_all_pages_apart_is_the_whole():
    rows = make(("a", "b", "c"), (2, 3, 2))
    again = concat_rows([select_pages(rows, np.array([i])) for i in range(3)])
    assert again.sha256 == rows.sha256


def test_copies_made_for_training_are_not_real():
    rows = make(("a", "b+spam", "c+text"), (1, 1, 1))
    assert rows.real.tolist() == [True, False, False]
    assert rows.page_index.tolist() == [0, 1, 2]


@pytest.mark.parametrize("name", ["label", "hashes", "own"])
def test_the_digest_tells_a_change(name):
    rows, changed = make(), make()
    getattr(changed, name)[-1] += 1
    assert name in {field.name for field in fields(Rows)}
    assert changed.sha256 != rows.sha256


def rewrite(path, **changes):
    with np.load(path) as saved:
        data = {**saved, **changes}
    np.savez(path, **{name: array for name, array in data.items() if array is not None})


@pytest.mark.parametrize("changes", [{"version": np.array(-1)}, {"names": np.array(["moon", *OWN_NAMES[1:]])}])
def test_rows_of_other_features_are_refused(tmp_path, changes):
    save_rows(tmp_path / "rows.npz", make())
    rewrite(tmp_path / "rows.npz", **changes)
    with pytest.raises(
        LabelError, match=r"rows.npz: made for other features; build it again with `detector labels rows`"
    ):
        load_rows(tmp_path / "rows.npz")


@pytest.mark.parametrize("name", ["names", "version", "holders"])
def test_a_missing_array_is_named(tmp_path, name):
    save_rows(tmp_path / "rows.npz", make())
    rewrite(tmp_path / "rows.npz", **{name: None})
    with pytest.raises(LabelError, match=r"rows.npz: not a file of rows"):
        load_rows(tmp_path / "rows.npz")


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # numpy leaves a bad archive open
@pytest.mark.parametrize(
    "body",
    [
        "不是数组".encode(),
        pytest.param(b""),
        pytest.param(b"PK\x03\x04"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, body):
    (tmp_path / "rows.npz").write_bytes(body)
    with pytest.raises(Exception, match=r"\w") as caught:
        load_rows(tmp_path / "rows.npz")
    kind, message = caught.type, str(caught.value)
    del caught  # and with it the file that numpy left open, before warnings count again
    assert kind is LabelError
    assert "rows.npz: not a file of rows" in message
