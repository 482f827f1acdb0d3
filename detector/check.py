"""The check of files: what is asked for, file by file. Nothing is loaded for files that were seen before."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from detector.findings import CODES, Finding, codes_of, wanted

if TYPE_CHECKING:
    from detector.examine import Judge
    from detector.lexicon import Lexicon

Examiner = Callable[[str, bytes | None], list[Finding]]
Names = tuple[str, str | None, str, str]  # of the fields for markup, text, id and URL


class Rules(NamedTuple):
    """What is reported of what is found. Patterns are absolute; in them ``*`` stands for ``/`` too."""

    codes: frozenset[str] = frozenset(CODES)
    per_file: Mapping[str, frozenset[str]] = {}
    exclude: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    thresholds: Mapping[str, float] = {}


def rules_of(
    select: Iterable[str], ignore: Iterable[str], per_file: Mapping[str, Iterable[str]], exclude: Iterable[str],
    allow: Iterable[str], thresholds: Mapping[str, float],
) -> Rules:  # fmt: skip
    """Return rules from what a user wrote; codes may be cut short and stand with commas between.

    Raises
    ------
    SettingsError
        For a code that is not known.
    """
    chosen = codes_of(_split(select)) or frozenset(CODES)
    return Rules(
        chosen - codes_of(_split(ignore)), {pattern: codes_of(_split(codes)) for pattern, codes in per_file.items()},
        tuple(exclude), tuple(" ".join(text.split()) for text in allow),
        {code: score for name, score in thresholds.items() for code in codes_of([name])},
    )  # fmt: skip


def _split(names: Iterable[str]) -> Iterator[str]:
    return (part for name in names for part in name.split(",") if part.strip())


def is_excluded(path: str, rules: Rules) -> bool:
    """Say whether a file is not to be looked at."""
    return any(_matches(path, pattern) for pattern in rules.exclude)


def reported(findings: list[Finding], path: str, rules: Rules) -> list[Finding]:
    """Return what is to be reported of the findings in one file."""
    ignored = [codes for pattern, codes in rules.per_file.items() if _matches(path, pattern)]
    return wanted(findings, rules.codes.difference(*ignored), rules.allow, rules.thresholds)


def _matches(path: str, pattern: str) -> bool:
    """Say whether a pattern stands for a file or for a folder above it."""
    full = os.path.abspath(path)
    return fnmatchcase(full, pattern) or fnmatchcase(full, pattern.rstrip("/") + "/*")


def expand_folders(paths: Iterable[str]) -> Iterator[str]:
    """Yield files; of a folder all of a known kind below it, but what is hidden, as version control and environments are."""
    for path in paths:
        if Path(path).is_dir():
            from detector.readers import expand

            below = ((file, file.relative_to(path)) for file in expand(path))
            yield from (str(file) for file, way in below if not any(part.startswith(".") for part in way.parts))
        else:
            yield path


def examiner(model: str | None, policy: str, cues: Iterable[Path], names: Names, kind: str | None) -> Examiner:
    """Return a function that finds what is wrong in a file; the model is loaded when it is called for the first time."""

    @lru_cache(maxsize=1)
    def tools() -> tuple[Judge, Lexicon]:
        from detector.lexicon import load_lexicon
        from detector.model import load_model
        from detector.pipeline import detect

        loaded, lexicon = load_model(model).under(policy), load_lexicon(cues)
        return lambda pages: detect(pages, loaded, lexicon=lexicon), lexicon

    def examine(path: str, body: bytes | None = None) -> list[Finding]:
        from detector.examine import examine_file
        from detector.readers import Fields

        html, text, id_, url = names
        fields = Fields((html,), (text,) if text else Fields().text, id_, url)
        return examine_file(path, *tools(), fields, kind, body)

    return examine
