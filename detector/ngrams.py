"""Hashed character n-grams: a linear model's evidence for every character, and for every block.

An n-gram is hashed where it begins, so a batch is scored by a few passes of numpy: hash, gather a weight, add up. The
weights are learned by scikit-learn's logistic regression (see `train`); feature hashing after Weinberger et al., "Feature
Hashing for Large Scale Multitask Learning", ICML 2009.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detector.blocks import Blocks
from detector.chars import code_points, fold_codes

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

SIZES = (1, 2, 3)  # characters in an n-gram
N_BUCKETS = 1 << 16
_MULTIPLIERS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)  # odd, from xxHash's primes


class Words(NamedTuple):
    """A linear model over hashed n-grams: `weights` float32 (n_buckets, k), `intercept` float32 (k,)."""

    weights: NDArray[np.float32]
    intercept: NDArray[np.float32]


def gram_buckets(blocks: Blocks, n_buckets: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Hash all n-grams that lie within one block.

    Parameters
    ----------
    n_buckets : int
        A power of two.

    Returns
    -------
    start, bucket : int64 ndarrays of shape (n_grams,)
        The code point at which each n-gram begins, in the batch's text, and its bucket; sizes one after another.
    """
    codes = fold_codes(code_points(blocks.text))
    room = np.repeat(blocks.text_offsets[1:], blocks.n_chars) - np.arange(len(codes))
    shift = np.uint64(64 - (n_buckets - 1).bit_length())
    starts, buckets = [], []
    rolling = np.zeros(len(codes), np.uint64)
    for size in SIZES:
        rolling = rolling[: len(codes) - size + 1] + codes[size - 1 :] * np.uint64(_MULTIPLIERS[size - 1])
        inside = np.flatnonzero(room[: len(rolling)] >= size)
        mixed = (rolling[inside] ^ (rolling[inside] >> np.uint64(29))) * np.uint64(_MULTIPLIERS[0])
        starts.append(inside)
        buckets.append((mixed >> shift).astype(np.int64))
    return np.concatenate(starts), np.concatenate(buckets)


def gram_counts(blocks: Blocks, n_buckets: int = N_BUCKETS) -> csr_matrix:
    """Count n-grams by block, divided by the square root of their number, sparse float32 (n, n_buckets)."""
    from scipy.sparse import csr_matrix

    start, bucket = gram_buckets(blocks, n_buckets)
    block = np.searchsorted(blocks.text_offsets, start, "right") - 1
    scale = 1 / np.sqrt(np.bincount(block, minlength=len(blocks)))
    return csr_matrix((scale[block].astype(np.float32), (block, bucket)), (len(blocks), n_buckets))


def block_scores(blocks: Blocks, words: Words) -> NDArray[np.float32]:
    """Score blocks by a linear model over `gram_counts`, float32 (n, k)."""
    start, bucket = gram_buckets(blocks, len(words.weights))
    n = len(blocks)
    block = np.searchsorted(blocks.text_offsets, start, "right") - 1
    scale = np.sqrt(np.maximum(np.bincount(block, minlength=n), 1))
    sums = [np.bincount(block, column, minlength=n) / scale for column in words.weights[bucket].T]
    return (np.column_stack(sums) + words.intercept).astype(np.float32)
