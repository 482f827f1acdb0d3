"""Where models are found, without loading one."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

from detector.errors import ModelError

DEFAULT_MODEL = "news_v1"


def find_model(name: str | os.PathLike[str] | None = None) -> Path:
    """Return a model's folder: `name` as a path or a name in models/, else ``$DETECTOR_MODEL``, else the default.

    Raises
    ------
    ModelError
        Saying where it looked.
    """
    wanted = str(name or os.environ.get("DETECTOR_MODEL") or DEFAULT_MODEL)
    places = [Path(wanted), *(root / wanted for root in _model_roots())]
    for place in places:
        if (place / "card.json").is_file():
            return place
    looked = ", ".join(str(place) for place in places)
    raise ModelError(f"no model {wanted!r}: looked for card.json in {looked}")


def _model_roots() -> list[Path]:
    package = Path(str(files("detector")))
    return [package / "models", package.parent / "models"]
