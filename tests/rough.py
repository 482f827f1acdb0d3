"""A heat and networks with random weights, for tests that do not hang on what a model has learned."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from detector.background import GRAM_BITS, count_background
from detector.heat import Heat, from_coefficients, measure, votes
from detector.network import Network
from detector.topic import Topic

TEXTS = ["水库除险加固工程通过验收。", "渠水涨了一尺，下游的田不用再抽水。", "昨日召开会议，全县各地的春耕"]


@lru_cache(maxsize=2)
def random_heat(bias: float = -1.0) -> Heat:
    """Make a heat; the lower `bias`, the fewer characters are warm."""
    random = np.random.default_rng(0)
    background = count_background(TEXTS, [("水库", 300.0), ("会议", 3000.0)])
    nothing = measure(np.zeros(0, np.uint32), np.zeros(0, np.uint8), background)
    cells = sum(vote.size * vote.width for vote in votes(*nothing))
    return from_coefficients(random.normal(size=cells) / 3, bias, background, random_topic())


def random_topic() -> Topic:
    """Make a topic that calls few n-grams an advert's."""
    random = np.random.default_rng(0)
    return Topic(*(random.normal(-2, 12, 1 << bits).astype(np.int8) for bits in GRAM_BITS))


def random_network(width: int, classes: int, seed: int = 0) -> Network:
    """Make a network of one hidden layer."""
    random = np.random.default_rng(seed)
    low, high, mean, scale = (np.full(width, value, np.float32) for value in (-20, 20, 0, 3))
    weights = tuple(random.normal(size=shape).astype(np.float32) for shape in ((width, 8), (8, classes)))
    return Network(low, high, mean, scale, weights, (np.zeros(8, np.float32), np.zeros(classes, np.float32)))
