"""Floors under quality, measured on one fold of held-out sites of real pages.

The pages are not part of the project. They are looked for in $DETECTOR_PAGES, or in shared/real-pages beside the checkout.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from documents import accused, hit, read
from main_text import clean_pages, f1, fold_model

from detector.blocks import RawPage
from detector.pipeline import detect
from detector.train import find_span_model, site_folds

ROOT = Path(__file__).resolve().parents[2]
FLOORS = json.loads((Path(__file__).parent / "floors.json").read_text("utf-8"))


FOLDER = Path(os.environ.get("DETECTOR_PAGES", ROOT.parent / "shared" / "real-pages"))


@pytest.fixture(scope="module")
def verdicts():
    """Verdicts of pages of one fold of sites, by a model fitted on the others, with their gold texts."""
    folder = FOLDER
    if not (folder / "index.jsonl").is_file():
        pytest.skip(f"no real pages in {folder}: set DETECTOR_PAGES to a folder with pages/, gold/ and index.jsonl")
    pages = clean_pages(folder)
    train, test = site_folds([page.site for page in pages], 5, seed=0)[0]
    model = fold_model([pages[i] for i in train], seed=0, folds=2)
    return list(detect([pages[i].page for i in test], model)), [pages[i].gold for i in test]


def test_main_text_against_gold(verdicts):
    scores = np.array([f1(page.text, gold) for page, gold in zip(*verdicts, strict=True)])
    assert scores.mean() >= FLOORS["main_text_f1"]
    assert (scores < 0.5).mean() <= FLOORS["main_text_below_half"]


def test_no_page_is_lost_to_its_encoding(verdicts):
    assert [page.error for page in verdicts[0]] == [None] * len(verdicts[0])


def test_clean_pages_are_not_called_spam(verdicts):
    pages = verdicts[0]
    blocks = sum(len(page.label) for page in pages)
    assert sum(int((page.label == 2).sum()) for page in pages) <= FLOORS["alarms_per_clean_block"] * blocks


def test_the_span_model_is_there():
    assert find_span_model([ROOT / "labeled"]) is not None


def test_a_hacked_page_is_cleaned_and_kept(model):
    """The page that started the project: a lottery brand stands in a province's place, and the body stands twice."""
    seeds = sorted((FOLDER.parent / "seed").glob("*.txt"))
    if not seeds:
        pytest.skip(f"no hacked page in {FOLDER.parent / 'seed'}")
    (verdict,) = detect([RawPage.from_text(seeds[0].read_bytes())], model)
    brand = "中国福彩app官方下载"
    shown = [block.text[s.start : s.end] for block in verdict.blocks for s in block.spans]
    assert shown == [brand] * 9
    assert (verdict.verdict, sorted(verdict.reasons)) == ("clean", ["body_twice", "injected_span"])
    assert brand not in verdict.text


def test_documents_of_a_corpus(model):
    documents = read(Path(__file__).parent / "documents.jsonl")
    verdicts = detect((page for page, _ in documents), model)
    hits = [
        (bool(true), hit(true, said), bool(said))
        for (_, true), said in zip(documents, map(accused, verdicts), strict=True)
    ]
    infected, clean = ([row for row in hits if row[0] == kind] for kind in (True, False))
    assert sum(found for _, found, _ in infected) >= FLOORS["documents_found"] * len(infected)
    assert sum(touched for _, _, touched in clean) <= FLOORS["documents_touched"] * len(clean)
