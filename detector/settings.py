"""Settings of a project: ``[tool.detector]`` of the nearest pyproject.toml, or a detector.toml, whichever is nearer."""

from __future__ import annotations

import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from detector.errors import SettingsError
from detector.labels import POLICIES

KEYS: dict[str, Any] = {"model": str, "policy": str, "cues": list}


def load_settings(folder: Path) -> dict[str, Any]:
    """Return the settings that hold in a folder, {} where there are none; cue files as paths from anywhere.

    Raises
    ------
    SettingsError
        Naming the file and the key, with the nearest known one.
    """
    for parent in (folder, *folder.parents):
        for path in (parent / "detector.toml", parent / "pyproject.toml"):
            if path.is_file() and (table := _table(path)) is not None:
                return _checked(path, table)
    return {}


def _table(path: Path) -> Any:
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path}: cannot be read ({error})") from error
    return data if path.name == "detector.toml" else data.get("tool", {}).get("detector")


def _checked(path: Path, table: Any) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise SettingsError(f"{path}: [tool.detector] is no table")
    for key, value in table.items():
        if key not in KEYS:
            near = get_close_matches(key, KEYS, 1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(KEYS)}"
            raise SettingsError(f"{path}: unknown setting {key!r}{hint}")
        if not isinstance(value, KEYS[key]) or (key == "cues" and not all(isinstance(name, str) for name in value)):
            raise SettingsError(f"{path}: {key} must be {'a list of file names' if key == 'cues' else 'a string'}")
    if "policy" in table and table["policy"] not in POLICIES:
        raise SettingsError(f"{path}: policy must be one of {', '.join(POLICIES)}, not {table['policy']!r}")
    return table | {key: _from(path.parent, table[key]) for key in ("cues", "model") if key in table}


def _from(folder: Path, names: str | list[str]) -> str | list[str]:
    """Make file names in a settings file good from anywhere; what names no file, as a packaged model, stays a name."""
    if isinstance(names, str):
        return str(folder / names) if (folder / names).exists() else names
    return [str(folder / name) for name in names]
