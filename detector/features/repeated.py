"""How often a block's text stands in its page."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detector.blocks import Blocks
from detector.repeats import block_hashes, repeats_in_page

NAMES = ("log_repeats",)


def columns(blocks: Blocks) -> NDArray[np.float32]:
    """Return float32 (n, 1): ``log(times the text stands in the page)``."""
    repeats = repeats_in_page(block_hashes(blocks), blocks.page_index)
    return np.log(repeats).astype(np.float32)[:, None]
