"""What commands say on stderr beside their results: sentences or JSON lines, and on a terminal how far they are."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

    from detector.blocks import RawPage

LOG_FORMATS = ("text", "json")
_KEY = "detector.log_format"
_TONES: dict[str, dict[str, Any]] = {
    "info": {"dim": True},
    "warning": {"fg": "yellow"},
    "error": {"fg": "red", "bold": True},
}


def use_log_format(name: str) -> None:
    """Say everything of this run in one of `LOG_FORMATS`."""
    click.get_current_context().meta[_KEY] = name


def log_format() -> str:
    """Return the format in which this run speaks."""
    context = click.get_current_context(silent=True)
    return str(context.meta.get(_KEY, "text")) if context else "text"


def say(message: str, level: str = "info", **fields: Any) -> None:
    """Say one thing: as a line for people, or as an object for programs, with `fields` that people are not shown."""
    if log_format() == "json":
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        click.echo(json.dumps({"time": at, "level": level, "message": message, **fields}, ensure_ascii=False), err=True)
    else:
        click.echo(click.style("detector:", **_TONES[level]) + f" {message}", err=True)


def warn(message: str) -> None:
    """Tell what is not taken into account."""
    say(f"left out: {message}", "warning")


class Losses:
    """Tells what is not taken into account, and counts it."""

    def __init__(self) -> None:
        self.number = 0

    def __call__(self, message: str) -> None:
        """Take one more."""
        self.number += 1
        warn(message)


# ---------------------------------------------------------------- how far it is


def on_terminal() -> bool:
    """Tell whether somebody watches."""
    return sys.stderr.isatty() and log_format() == "text"


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Callable[[Any], None]]:
    """Show a bar on a terminal while the block runs; call what it gives once for each thing that is done."""
    done = 0
    bar: ProgressBar[Any]
    hidden = not on_terminal()
    with click.progressbar(length=total, label=what, file=sys.stderr, show_pos=True, hidden=hidden) as bar:

        def tick(_: Any = None) -> None:
            nonlocal done
            done += 1
            bar.update(1)

        yield tick
        bar.length = bar.length or done


class Watch:
    """Opens files and knows how far they are read, in bytes as they stand on the disk."""

    def __init__(self, files: Iterable[Path]) -> None:
        self.total = sum(path.stat().st_size for path in files if path.is_file())
        self._before = 0
        self._open: IO[bytes] | None = None

    def open(self, path: Path) -> IO[bytes]:
        """Open the next file."""
        self._before = self.bytes
        self._open = path.open("rb")
        self._size = path.stat().st_size
        return self._open

    @property
    def bytes(self) -> int:
        """Bytes read so far; a file that is closed counts as read."""
        if self._open is None:
            return 0
        return self._before + (self._size if self._open.closed else self._open.tell())


def watched(pages: Iterable[RawPage], watch: Watch | None) -> Iterator[RawPage]:
    """Pass pages on and show how many there were and, where sizes are known, how much is left."""
    total = watch.total if watch else None
    steps = max(1, (total or 0) // 1000)
    bar: ProgressBar[Any]
    with click.progressbar(length=total, label="0 pages", file=sys.stderr, update_min_steps=steps) as bar:
        seen = 0
        for number, page in enumerate(pages, 1):
            bar.label = f"{number:,} pages"
            now = watch.bytes if watch else number
            bar.update(now - seen)
            seen = now
            yield page
        bar.update((total or seen) - seen)


def known_files(paths: Sequence[str]) -> list[Path] | None:
    """Return the files that paths stand for; None where one is standard input, of which nobody knows the end."""
    from detector.readers import STDIN, expand

    return None if STDIN in paths else [file for path in paths for file in expand(path)]
