from __future__ import annotations

import pytest

from detector.labels import LABEL_NAMES, UNLABELED, Label, label_of


def test_order_is_that_of_the_probability_columns() -> None:
    assert LABEL_NAMES == ("content", "chrome", "spam")
    assert [int(label) for label in Label] == [0, 1, 2]
    assert UNLABELED not in list(Label)


@pytest.mark.parametrize("name", ["chrome", "CHROME", "Chrome"])
def test_label_by_name(name: str) -> None:
    assert label_of(name) is Label.CHROME


def test_no_such_label() -> None:
    with pytest.raises(KeyError):
        label_of("advert")
