"""A judge without a model: a brand is injected, a line that promises winnings is spam. So cases can be made by the hundred."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from detector.blocks import RawPage
from detector.errors import PageError
from detector.labels import Label
from detector.mojibake import garbled_share
from detector.pipeline import SUMMARY, TITLE, PageVerdict, Span, body_copies, segment_page

BRAND = "泊璟 app"
SPAM = "送彩金"
CHROME = "责任编辑"


def judge(pages: Iterable[RawPage]) -> Iterator[PageVerdict]:
    for page in pages:
        try:
            yield verdict(page)
        except PageError as error:
            nothing = np.zeros(0, np.int8), np.zeros((0, 3), np.float32)
            yield PageVerdict(page, "drop", [error.code], "", None, *nothing, [], (error.code, str(error)))


def verdict(page: RawPage) -> PageVerdict:
    segmented = segment_page(page)
    blocks = segmented.blocks
    texts = blocks.texts()
    label = np.array([label_of(text) for text in texts], np.int8)
    proba = np.eye(3, dtype=np.float32)[label]
    places = [*enumerate(texts), (TITLE, blocks.titles[0]), (SUMMARY, blocks.summaries[0])]
    spans = [span for i, text in places if i < 0 or label[i] != Label.SPAM for span in brands(i, text)]
    spam = (label == Label.SPAM).any() and not (label == Label.CONTENT).any()
    twice = body_copies(blocks, label).any()
    reasons = [
        *["spam_page"] * bool(spam),
        *["mojibake"] * (blocks.text.count("\ufffd") > 1 or garbled_share(blocks.text) == 1),
        *["body_twice"] * bool(twice),
    ]
    return PageVerdict(page, "", reasons, "", segmented, label, proba, sorted(spans))


def label_of(text: str) -> Label:
    return Label.SPAM if SPAM in text else Label.CHROME if CHROME in text else Label.CONTENT


def brands(block: int, text: str) -> Iterator[Span]:
    place = text.find(BRAND)
    while place >= 0:
        yield Span(block, place, place + len(BRAND), "brand", 0.9, "app" if block >= 0 else None)
        place = text.find(BRAND, place + 1)
