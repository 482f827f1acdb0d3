"""Settings of a project: ``[tool.detector]`` of the nearest pyproject.toml, or a detector.toml, whichever is nearer.

The table ``check`` in it is for `detector check` alone, and goes before what stands outside.
"""

from __future__ import annotations

import glob
import tomllib
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from detector.errors import SettingsError
from detector.labels import POLICIES


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_table(value: Any) -> bool:
    return isinstance(value, dict)


def _is_table_of_texts(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_texts, value.values()))


def _is_table_of_numbers(value: Any) -> bool:
    return isinstance(value, dict) and all(type(item) in (int, float) and 0 <= item <= 1 for item in value.values())


Kind = tuple[Callable[[Any], bool], str]
TEXT: Kind = (_is_text, "a string")
TEXTS: Kind = (_is_texts, "a list of strings")
FILES: Kind = (_is_texts, "a list of file names")

KEYS: dict[str, Kind] = {"model": TEXT, "policy": TEXT, "cues": FILES, "check": (_is_table, "a table")}
CHECK_KEYS: dict[str, Kind] = {
    "model": TEXT, "policy": TEXT, "cues": FILES, "baseline": TEXT,
    "select": TEXTS, "ignore": TEXTS, "exclude": TEXTS, "allow": TEXTS,
    "per-file-ignores": (_is_table_of_texts, "a table of patterns with lists of codes"),
    "thresholds": (_is_table_of_numbers, "a table of codes with numbers from 0 to 1"),
    "html-field": TEXT, "text-field": TEXT, "id-field": TEXT, "url-field": TEXT,
}  # fmt: skip


def load_settings(folder: Path) -> dict[str, Any]:
    """Return the settings that hold in a folder, {} where there are none; file names as paths from anywhere.

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


def check_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of `check`, named as its options are; those of its own table go first."""
    common = {key: value for key, value in settings.items() if key != "check"}
    return {key.replace("-", "_"): value for key, value in (common | settings.get("check", {})).items()}


def _table(path: Path) -> Any:
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path}: cannot be read ({error})") from error
    if path.name == "detector.toml" and "tool" in data:
        raise SettingsError(f"{path}: settings stand at the top of this file; leave out [tool.detector]")
    return data if path.name == "detector.toml" else data.get("tool", {}).get("detector")


def _checked(path: Path, table: Any) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise SettingsError(f"{path}: [tool.detector] is no table")
    _check_keys(path, table, KEYS, "")
    found = _from_anywhere(path.parent, table)
    if "check" in table:
        _check_keys(path, table["check"], CHECK_KEYS, "check.")
        found["check"] = _from_anywhere(path.parent, table["check"])
    return found


def _check_keys(path: Path, table: dict[str, Any], keys: dict[str, Kind], within: str) -> None:
    for key, value in table.items():
        if key not in keys:
            raise SettingsError(f"{path}: unknown setting {within + key!r}; {_hint(key, within)}")
        fits, what = keys[key]
        if not fits(value):
            raise SettingsError(f"{path}: {within}{key} must be {what}")
    if "policy" in table and table["policy"] not in POLICIES:
        raise SettingsError(f"{path}: {within}policy must be one of {', '.join(POLICIES)}, not {table['policy']!r}")


def _hint(key: str, within: str) -> str:
    """Name the setting that is nearest to an unknown one, in its own table if there is one as near."""
    names = {f"check.{name}": name for name in CHECK_KEYS} | {name: name for name in KEYS}
    near = get_close_matches(key, {name for full, name in names.items() if full.startswith(within)}, 1)
    found = [full for full, name in names.items() if near and name == near[0] and full.startswith(within)]
    if found:
        return f"did you mean {found[-1]!r}?"
    return f"there are {', '.join(CHECK_KEYS if within else KEYS)}"


def _from_anywhere(folder: Path, table: dict[str, Any]) -> dict[str, Any]:
    """Make file names and patterns good from anywhere; a model that is no folder, as a packaged one, stays a name."""
    found = dict(table)
    if "cues" in table:
        found["cues"] = [str(folder / name) for name in table["cues"]]
    if "model" in table and (folder / table["model"]).exists():
        found["model"] = str(folder / table["model"])
    if "baseline" in table:
        found["baseline"] = str(folder / table["baseline"])
    if "exclude" in table:
        found["exclude"] = [_pattern(folder, name) for name in table["exclude"]]
    if "per-file-ignores" in table:
        found["per-file-ignores"] = {_pattern(folder, n): codes for n, codes in table["per-file-ignores"].items()}
    return found


def _pattern(folder: Path, pattern: str) -> str:
    return f"{glob.escape(str(folder))}/{pattern.removeprefix('./')}"
