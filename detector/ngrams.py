"""Hashed character n-grams: a linear model's evidence for every character, and for every block.

An n-gram is hashed where it begins, so a batch is scored by a few passes of numpy: hash, gather a weight, add up. The
weights are learned by scikit-learn's logistic regression (see `train`); feature hashing after Weinberger et al., "Feature
Hashing for Large Scale Multitask Learning", ICML 2009.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detector import compiled
from detector.blocks import Texts
from detector.chars import fold_codes

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

SIZES = (1, 2, 3)  # characters in an n-gram
N_BUCKETS = 1 << 16
_MULTIPLIERS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)  # odd, from xxHash's primes


class Words(NamedTuple):
    """A linear model over hashed n-grams: `weights` float32 (n_buckets, k), `intercept` float32 (k,)."""

    weights: NDArray[np.float32]
    intercept: NDArray[np.float32]


def gram_buckets(blocks: Texts, n_buckets: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
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
    codes = fold_codes(blocks.codes)
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


def count_grams(blocks: Texts, n_buckets: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Weigh the n-grams of blocks by the log of how often each occurs there, a long block's less.

    Returns
    -------
    block, bucket : int64 ndarrays of shape (n_pairs,)
        Every bucket of every block once, in the order in which they first occur: sums come out alike, however they are
        added up.
    weight : float32 ndarray of shape (n_pairs,)
        ``log(1 + count)``, divided by the square root of the number of n-grams in the block.
    """
    start, bucket = gram_buckets(blocks, n_buckets)
    block = np.repeat(np.arange(len(blocks)), blocks.n_chars)[start]
    pairs, first, count = np.unique(block * n_buckets + bucket, return_index=True, return_counts=True)
    scale = 1 / np.sqrt(np.maximum(np.bincount(block, minlength=len(blocks)), 1))
    order = np.argsort(first)
    block, bucket = np.divmod(pairs[order], n_buckets)
    return block, bucket, (np.log1p(count[order]) * scale[block]).astype(np.float32)


def gram_counts(blocks: Texts, n_buckets: int = N_BUCKETS) -> csr_matrix:
    """Lay what `count_grams` says out as a sparse matrix, float32 (n, n_buckets)."""
    from scipy.sparse import csr_matrix

    block, bucket, weight = count_grams(blocks, n_buckets)
    return csr_matrix((weight, (block, bucket)), (len(blocks), n_buckets))


def block_scores(blocks: Texts, words: Words) -> NDArray[np.float32]:
    """Score blocks by a linear model over `gram_counts`, float32 (n, k)."""
    sums = _word_sums(blocks, words.weights)
    return (sums + words.intercept).astype(np.float32)


def _word_sums(blocks: Texts, weights: NDArray[np.float32]) -> NDArray[np.float64]:
    if compiled.loops is not None:
        out = np.zeros((len(blocks), weights.shape[1]))
        # No n-gram occurs more often than three times the characters of its block: it may be hit by all three sizes.
        log1p = np.log1p(np.arange(3 * int(blocks.n_chars.max(initial=0)) + 1))
        folded = fold_codes(blocks.codes)
        compiled.loops.word_scores(folded, blocks.text_offsets, np.ascontiguousarray(weights), log1p, out)
        return out
    block, bucket, weight = count_grams(blocks, len(weights))
    sums = [np.bincount(block, weight * column[bucket], minlength=len(blocks)) for column in weights.T]
    return np.column_stack(sums)
