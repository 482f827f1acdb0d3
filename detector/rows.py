"""Rows: the features of labelled blocks without their text, so that anybody can retrain without the pages."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detector.blocks import Blocks
from detector.errors import LabelError, ModelError
from detector.features import FEATURES_VERSION, OWN_NAMES
from detector.model import Layout, read_arrays
from detector.repeats import block_hashes

# Suffixes of the ids of copies made for training: with spam written in, as plain text.
SPAM_COPY, TEXT_COPY = "+spam", "+text"
# Beginnings of the ids of pages made of the project's sentences: honest ones, and those with injected strings.
SENTENCE, INJECTED = "sentence:", "injected:"
MAX_ROWS_BYTES = 4 << 30  # unpacked
_COLUMNS = {"own", "label", "hashes", "n_chars", "holders", "page_offsets", "page_ids", "sites"}


def is_sentence(page_id: str) -> bool:
    """Tell whether a page is one of the project's own honest sentences."""
    return page_id.startswith(SENTENCE)


def is_copy(page_id: str) -> bool:
    """Tell whether a page is a copy made for training."""
    return page_id.endswith((SPAM_COPY, TEXT_COPY))


@dataclass(frozen=True, eq=False)
class Rows:
    """Labelled blocks of many pages as numbers.

    Attributes
    ----------
    own : float32 ndarray of shape (n, len(OWN_NAMES))
    label : int8 ndarray of shape (n,)
        -1 where nobody labelled the block: it serves as a neighbour only.
    layout : Layout
    hashes : uint64 ndarray of shape (n,)
        Hash of each block's text.
    page_ids, sites : list of str, length p
    """

    own: NDArray[np.float32]
    label: NDArray[np.int8]
    layout: Layout
    hashes: NDArray[np.uint64]
    page_ids: list[str]
    sites: list[str]

    @property
    def page_index(self) -> NDArray[np.int64]:
        """The page of each block, int64 (n,)."""
        return np.repeat(np.arange(len(self.page_ids)), np.diff(self.layout.page_offsets))

    @property
    def real(self) -> NDArray[np.bool_]:
        """Pages as they were found, not copies made for training, bool (p,)."""
        return np.array([not is_copy(page_id) for page_id in self.page_ids], bool)

    @property
    def sha256(self) -> str:
        """Digest of labels, hashes and pages: what was trained on."""
        digest = hashlib.sha256("\n".join(self.page_ids).encode())
        for array in (self.label, self.hashes, self.own):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()


def make_rows(blocks: Blocks, own: NDArray[np.float32], label: NDArray[np.int8], sites: Sequence[str]) -> Rows:
    """Put features and labels of a batch together."""
    return Rows(own, label, Layout.of(blocks), block_hashes(blocks), list(blocks.page_ids), list(sites))


def concat_rows(parts: Sequence[Rows]) -> Rows:
    """Put rows one after another."""
    offsets, holders, start = [np.zeros(1, np.int64)], [], 0
    for part in parts:
        offsets.append(part.layout.page_offsets[1:] + offsets[-1][-1])
        holders.append(part.layout.holders + start)
        start = int(holders[-1].max(initial=start)) + 1
    layout = Layout(
        np.concatenate([p.layout.n_chars for p in parts]),
        np.concatenate(holders).astype(np.int32),
        np.concatenate(offsets),
    )
    return Rows(
        np.concatenate([p.own for p in parts]), np.concatenate([p.label for p in parts]), layout,
        np.concatenate([p.hashes for p in parts]),
        [i for p in parts for i in p.page_ids], [s for p in parts for s in p.sites],
    )  # fmt: skip


def select_pages(rows: Rows, pages: NDArray[np.int64]) -> Rows:
    """Keep some pages, in their old order."""
    keep = np.isin(rows.page_index, pages)
    sizes = np.diff(rows.layout.page_offsets)[np.sort(pages)]
    layout = Layout(
        rows.layout.n_chars[keep], rows.layout.holders[keep], np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    )
    chosen = np.sort(pages).tolist()
    return Rows(
        rows.own[keep], rows.label[keep], layout, rows.hashes[keep],
        [rows.page_ids[i] for i in chosen], [rows.sites[i] for i in chosen],
    )  # fmt: skip


def save_rows(path: Path, rows: Rows) -> None:
    """Write rows as a compressed .npz; features are kept to half precision, which training does not notice."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        path, own=rows.own.astype(np.float16), label=rows.label, hashes=rows.hashes,
        n_chars=rows.layout.n_chars.astype(np.int32), holders=_page_local(rows), page_offsets=rows.layout.page_offsets,
        page_ids=np.array(rows.page_ids), sites=np.array(rows.sites), names=np.array(OWN_NAMES),
        version=np.array(FEATURES_VERSION),
    )  # fmt: skip


def _page_local(rows: Rows) -> NDArray[np.int32]:
    """Number holders from 0 in each page: small numbers compress."""
    out = np.zeros(rows.layout.holders.shape, np.int32)
    bounds = rows.layout.page_offsets
    for first, last in pairwise(bounds.tolist()):
        _, numbers = np.unique(rows.layout.holders[first:last], return_inverse=True)
        out[first:last] = numbers.reshape(rows.layout.holders[first:last].shape)
    return out


def load_rows(path: Path) -> Rows:
    """Read rows written by `save_rows`.

    Raises
    ------
    LabelError
        If the file is damaged or holds other features than this version computes.
    """
    try:
        data = read_arrays(path, MAX_ROWS_BYTES)
        names, version = tuple(data["names"].tolist()), int(data["version"])
        missing = _COLUMNS - data.keys()
    except (ModelError, KeyError, TypeError, ValueError) as error:
        raise LabelError(f"{path}: not a file of rows ({error})") from error
    if missing:
        raise LabelError(f"{path}: not a file of rows (no {', '.join(sorted(missing))})")
    if names != OWN_NAMES or version != FEATURES_VERSION:
        raise LabelError(f"{path}: made for other features; build it again with `detector labels rows`")
    offsets = data["page_offsets"].astype(np.int64)
    holders = data["holders"].astype(np.int32)
    step = int(holders.max(initial=0)) + 1
    page = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    layout = Layout(data["n_chars"].astype(np.int64), (holders + page[:, None] * step).astype(np.int32), offsets)
    return Rows(
        data["own"].astype(np.float32), data["label"], layout, data["hashes"],
        data["page_ids"].tolist(), data["sites"].tolist(),
    )  # fmt: skip
