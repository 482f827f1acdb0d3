"""Tell what a scraped Chinese page says from what its site put around it and from what somebody injected into it.

>>> from detector import RawPage, detect, load_model
>>> pages = [RawPage.from_html("<p>网页没有导航，只有这一段关于水库除险加固工程通过竣工验收的报道。</p>", page_id="a")]
>>> [page.verdict for page in detect(pages, load_model())]
['keep']
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from detector.blocks import Blocks, RawPage
    from detector.errors import DetectorError, ModelError, PageError
    from detector.labels import Label
    from detector.model import Model, load_model
    from detector.pipeline import Block, PageVerdict, Span, detect

__all__ = [
    "Block", "Blocks", "DetectorError", "Label", "Model", "ModelError", "PageError", "PageVerdict", "RawPage", "Span",
    "detect", "load_model",
]  # fmt: skip

_HOMES = {"Blocks": "blocks", "RawPage": "blocks", "Label": "labels", "Model": "model", "load_model": "model",
          "DetectorError": "errors", "ModelError": "errors", "PageError": "errors"}  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import a public name when it is asked for: `--help` and a check of known files need no NumPy."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"detector.{_HOMES.get(name, 'pipeline')}"), name)
