"""How much of a block is link."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detector.arrays import side_by_side
from detector.blocks import Blocks

NAMES = ("link_density", "log_links", "chars_per_link", "offsite_share", "log_images")


def columns(blocks: Blocks) -> NDArray[np.float32]:
    """Return float32 (n, len(NAMES)); all NaN on pages without a DOM."""
    links = blocks.n_links.astype(np.float32)
    out = [
        blocks.link_chars / blocks.n_chars,
        np.log1p(links),
        np.log1p(blocks.link_chars / np.maximum(links, 1)),
        blocks.n_offsite / np.maximum(links, 1),
        np.log1p(blocks.n_images),
    ]
    return side_by_side(out)
