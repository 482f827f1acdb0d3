"""Floors under quality, measured on one fold of held-out sites of real pages.

The pages are not part of the project. They are looked for in $DETECTOR_PAGES, or in shared/real-pages beside the checkout.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from main_text import clean_pages, f1, fold_model

from detector.pipeline import detect
from detector.train import find_span_model, site_folds

ROOT = Path(__file__).resolve().parents[2]
FLOORS = json.loads((Path(__file__).parent / "floors.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def verdicts():
    """Verdicts of pages of one fold of sites, by a model fitted on the others, with their gold texts."""
    folder = Path(os.environ.get("DETECTOR_PAGES", ROOT.parent / "shared" / "real-pages"))
    if not (folder / "index.jsonl").is_file():
        pytest.skip(f"no real pages in {folder}: set DETECTOR_PAGES to a folder with pages/, gold/ and index.jsonl")
    pages = clean_pages(folder)
    train, test = site_folds([page.site for page in pages], 5, seed=0)[0]
    model = fold_model([pages[i] for i in train], seed=0)
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
