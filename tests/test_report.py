import json
import re
from dataclasses import replace

import numpy as np
import pytest
from conftest import SITES

from detector.evaluate import score
from detector.features import FAMILIES
from detector.labeled import read_labeled
from detector.report import print_evaluation, worst_pages, write_model_readme, write_report
from detector.reviewed import importance_of, shown_by_model, shown_by_scores
from detector.segment import segment


@pytest.fixture(scope="module")
def scored(tiny_rows, tiny_model):
    rows, _ = tiny_rows
    proba = tiny_model.predict_proba(rows.own, rows.layout)
    return rows, proba, score(rows, proba, 0.5, 0.9)


def test_an_evaluation_names_classes_and_sites(scored):
    text = print_evaluation("sites_not_trained_on", scored[2])
    assert text.startswith("## sites not trained on: 8 pages with content, ")
    assert [line.split(" | ")[0] for line in text.splitlines() if line.startswith("| ") and ".example" in line] == [
        "| beiling.example", "| haibin.example", "| linhe.example", "| qingshan.example",
    ]  # fmt: skip
    assert "(thresholds: content 0.5, spam 0.9)" in text


def test_the_counts_add_up(scored):
    rows, _, scores = scored
    lines = print_evaluation("x", scores).splitlines()
    start = lines.index("|---|---|---|---|") + 1
    cells = [[int(cell) for cell in line.strip("|").split("|")[1:]] for line in lines[start : start + 3]]
    assert np.sum(cells) == (rows.label >= 0).sum()


def test_a_models_readme_tells_what_it_was_trained_on(scored, tmp_path, tiny_folder):
    card = json.loads((tiny_folder / "card.json").read_text("utf-8"))
    (tmp_path / "card.json").write_text(json.dumps(card), "utf-8")
    write_model_readme(tmp_path, {"mlp": scored[2]})
    text = (tmp_path / "README.md").read_text("utf-8")
    assert text.startswith("# tiny_v1\n")
    assert "of 77 pages" in text
    assert "of 4 sites" in text
    assert "| mlp | " in text


@pytest.fixture(scope="module")
def report(scored, tmp_path_factory, labeled_folder, tiny_rows, tiny_model, lexicon):
    folder = tmp_path_factory.mktemp("reports") / "deep"
    matters = importance_of(tiny_rows[0], tiny_model)
    show = shown_by_scores(scored[2])
    spoilt = replace(scored[2], page_f1=np.where(scored[0].real, 0.25, np.nan))
    write_report(folder, {"held_out": (*scored[:2], spoilt)}, matters, read_labeled(labeled_folder), show)
    return folder


def test_a_report_names_the_worst_pages_and_links_to_them(report):
    table = [line.split("\t") for line in (report / "worst_pages.tsv").read_text("utf-8").splitlines()]
    assert table[0] == ["evaluation", "page", "site", "f1"]
    assert sorted(row[1] for row in table[1:]) == [f"s{i}" for i in range(8)]
    text = (report / "report.html").read_text("utf-8")
    links = re.findall(r'<a href="(views/\d+\.html)">s\d</a>', text)
    assert len(links) == 8
    assert all("fitted without this site" in (report / link).read_text("utf-8") for link in links)


def test_a_report_has_its_charts_and_sites(report):
    text = (report / "report.html").read_text("utf-8")
    assert text.count("<svg") == 3
    assert all(site in text.partition("Confusion by site")[2] for site in SITES)
    assert re.findall(r"<tr><td>(\w+)<td><span class=\"long\"", text)[0] in FAMILIES


def test_a_report_loads_nothing(report, browser):
    page, asked = browser.new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((report / "report.html").as_uri())
    assert len(asked) == 1
    assert page.locator("svg.chart").first.bounding_box()["width"] > 200
    page.click(".worst a")
    assert "views/" in page.url
    page.close()


def test_pages_that_came_out_right_are_not_among_the_worst():
    assert worst_pages(np.array([1.0, 0.5, np.nan, 0.25])) == [3, 1]


def test_a_model_shows_pages_with_reasons(stories, tiny_model, lexicon):
    show = shown_by_model(tiny_model, lexicon)
    blocks = segment(stories[0].html)
    text = "".join(show(stories[0].page, np.zeros(len(blocks), np.int8), np.zeros((len(blocks), 3), np.float32)))
    assert "people disagree" in text
    assert 'class="why"' in text
