"""How often a block's text stands in its page, and on other pages of its site where a table tells it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detector.repeats import SiteCounts, repeats_in_page

NAMES = ("log_repeats", "log_site_pages", "log_site_repeats", "site_share")


def columns(
    hashes: NDArray[np.uint64], page_index: NDArray[np.int64], seen: SiteCounts | None = None
) -> NDArray[np.float32]:
    """Return float32 (n, 4): times the text stands in the page, and what the site's other pages say of it.

    Columns are ``log(times in the page)``, ``log(1 + other pages of the site)``, ``log(1 + those that hold the text)``
    and the share of the other pages that hold it. The last two are NaN where no other page is known.
    """
    out = np.full((len(hashes), len(NAMES)), np.nan, np.float32)
    out[:, 0] = np.log(repeats_in_page(hashes, page_index))
    out[:, 1] = 0
    if seen is not None:
        known = seen.pages > 0
        out[known, 1] = np.log1p(seen.pages[known])
        out[known, 2] = np.log1p(seen.holding[known])
        out[known, 3] = seen.holding[known] / seen.pages[known]
    return out
