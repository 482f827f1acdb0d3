"""Where models, and what else answers depend on, are found, without loading anything."""

from __future__ import annotations

import os
from difflib import get_close_matches
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
    looked, known = ", ".join(str(place) for place in places), known_models()
    near = get_close_matches(wanted, known, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"there is {', '.join(known) or 'none'}"
    raise ModelError(f"no model {wanted!r}; {hint} (looked for card.json in {looked})")


def known_models() -> list[str]:
    """Return the names of the models that need no path."""
    return sorted({card.parent.name for root in _model_roots() for card in root.glob("*/card.json")})


def package_files() -> list[Path]:
    """Return the files of the package that answers depend on: a version number stays the same while somebody works on it."""
    package = Path(str(files("detector")))
    return sorted(path for path in package.rglob("*") if path.suffix in (".py", ".pyx", ".tsv"))


def _model_roots() -> list[Path]:
    package = Path(str(files("detector")))
    return [package / "models", package.parent / "models"]
