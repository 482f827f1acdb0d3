"""Inner loops in C, where a compiler was at hand when the package was installed; without them all works, and says the same.

Each function here stands for one in Python that gives the same result, bit for bit; tests hold the two together. With
``DETECTOR_PURE_PYTHON`` in the environment they are left alone.
"""

from __future__ import annotations

import os
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

__all__ = ["columns", "decode", "loops", "scan", "text", "walk"]


def _load(name: str) -> ModuleType | None:
    if os.environ.get("DETECTOR_PURE_PYTHON"):
        return None
    try:
        return import_module(f"detector.compiled.{name}")
    except ImportError:
        return None


def _load_walk() -> ModuleType | None:
    """Load the walk over the tree of selectolax's parser, if the extension module that holds the parser lets others call it."""
    walk, parser = _load("_walk"), find_spec("selectolax.lexbor")
    return walk if walk and parser and parser.origin and walk.connect(parser.origin) else None


columns = _load("_columns")
decode = _load("_decode")
loops = _load("_loops")
scan = _load("_scan")
text = _load("_text")
walk = _load_walk()
