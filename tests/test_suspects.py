import shutil

import pytest

from detector.answers import page_key
from detector.errors import InputError
from detector.labeled import read_tables, write_labels
from detector.suspects import find_suspects

pytestmark = pytest.mark.usefixtures("serial")
MENU, FOOTER = "本地要闻", "版权所有 临河日报社 ICP备00000000号"


def with_wrong(labeled_folder, folder, text, label, pages=("s0",)):
    """A copy of the tiny corpus in which a block has the wrong label."""
    shutil.copytree(labeled_folder, folder)
    for found in read_tables(folder):
        if found.page.page_id in pages:
            rows = [row._replace(label=label) if row.text == text else row for row in found.labels]
            path = folder / found.site / f"{found.page.page_id}.tsv"
            write_labels(path, {"site": found.site, "url": found.page.url}, rows)
    return folder


def test_a_wrong_label_is_the_first_suspect(labeled_folder, lexicon, tmp_path):
    folder = with_wrong(labeled_folder, tmp_path / "labeled", FOOTER, "content")
    first = find_suspects(folder, lexicon)[0]
    assert (first.text, first.label, first.guess, first.annotator) == (FOOTER, "content", "chrome", "tester")
    assert first.p_label < 0.05 < 0.9 < first.p_guess
    assert first.place.page == page_key((folder / "linhe.example" / "s0.html").read_bytes())


def test_a_repeated_block_is_suspected_once(labeled_folder, lexicon, tmp_path):
    folder = with_wrong(labeled_folder, tmp_path / "labeled", FOOTER, "content", pages=("s0", "s1"))
    assert [s.text for s in find_suspects(folder, lexicon)].count(FOOTER) == 1


def test_the_least_likely_label_comes_first(labeled_folder, lexicon, tmp_path):
    found = find_suspects(with_wrong(labeled_folder, tmp_path / "labeled", FOOTER, "content"), lexicon)
    assert [s.p_label for s in found] == sorted(s.p_label for s in found)
    assert all(s.guess != s.label and s.p_guess > s.p_label for s in found)


def test_pages_of_one_site_cannot_doubt_each_other(labeled_folder, lexicon, tmp_path):
    shutil.copytree(labeled_folder / "linhe.example", tmp_path / "linhe.example")
    with pytest.raises(InputError, match="two sites"):
        find_suspects(tmp_path, lexicon)
