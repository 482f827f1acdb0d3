import shutil

import pytest

from detector.answers import page_key
from detector.errors import InputError
from detector.labeled import read_tables, write_labels
from detector.suspects import find_suspects

pytestmark = pytest.mark.usefixtures("serial")
FOOTER = "版权所有 临河日报社 ICP备00000000号"


@pytest.fixture(scope="module")
def suspects(labeled_folder, lexicon, tmp_path_factory):
    """The suspects of the tiny corpus, where the footer of two pages of one site has the wrong label."""
    folder = tmp_path_factory.mktemp("wrong") / "labeled"
    shutil.copytree(labeled_folder, folder)
    for found in read_tables(folder):
        rows = [row._replace(label="content") if row.text == FOOTER else row for row in found.labels]
        path = folder / found.site / f"{found.page.page_id}.tsv"
        write_labels(path, {"site": found.site, "url": found.page.url}, rows)
    return find_suspects(folder, lexicon)


def test_a_wrong_label_is_the_first_suspect_and_a_repeated_one_is_suspected_once(suspects, labeled_folder):
    first = suspects[0]
    assert (first.text, first.label, first.guess, first.annotator) == (FOOTER, "content", "chrome", "tester")
    assert first.p_label < 0.05 < 0.9 < first.p_guess
    keys = {page_key((labeled_folder / "linhe.example" / f"s{i}.html").read_bytes()) for i in (0, 1)}
    assert first.place.page in keys
    assert [s.text for s in suspects].count(FOOTER) == 1


def test_the_least_likely_label_comes_first(suspects):
    assert [s.p_label for s in suspects] == sorted(s.p_label for s in suspects)
    assert all(s.guess != s.label and s.p_guess > s.p_label for s in suspects)


def test_pages_of_one_site_cannot_doubt_each_other(labeled_folder, lexicon, tmp_path):
    shutil.copytree(labeled_folder / "linhe.example", tmp_path / "linhe.example")
    with pytest.raises(InputError, match="two sites"):
        find_suspects(tmp_path, lexicon)
