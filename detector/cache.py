"""What was found in files before, kept by what they hold and by everything that a finding depends on.

An entry is a file of its own that is written beside its place and renamed, so runs at the same time do no harm; its first
line is a digest of the rest, so a damaged one is as good as none. A cache that cannot be written is done without.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from detector.findings import Finding
from detector.model_folder import find_model, package_files

KEPT_DAYS = 30  # since an entry was last of use
CHUNK_BYTES = 1 << 20
Examiner = Callable[[str, bytes | None], list[Finding]]


def cache_folder() -> Path:
    """Return where entries are kept unless the user says otherwise."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "detector"


def settings_digest(model: str | None, cues: Iterable[os.PathLike[str]], others: Iterable[str | None]) -> str:
    """Return a digest of all that findings depend on besides the file: this package, the model, cues, and settings.

    The name of a cue file counts, for it says which group its terms are of.
    """
    digest = hashlib.sha256(repr([*others, _package_stamp()]).encode())
    digest.update((find_model(model) / "card.json").read_bytes())  # holds the digests of the model's other files
    for cue in cues:
        with contextlib.suppress(OSError):  # a missing one is an error of whoever reads it
            digest.update(Path(cue).name.encode("utf-8", "replace") + hashlib.sha256(Path(cue).read_bytes()).digest())
    return digest.hexdigest()


def _package_stamp() -> list[tuple[str, int, int]]:
    """Names, sizes and times of the package's files."""
    return [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in package_files()]


def remembering(examine: Examiner, folder: Path, settings: str) -> Examiner:
    """Return `examine` with a memory in `folder`."""

    def look(path: str, body: bytes | None = None) -> list[Finding]:
        before = _state(path)
        try:
            entry = folder / _key(path, body, settings)
        except OSError:  # what cannot be read is a finding, and may be gone the next time
            return examine(path, body)
        found = _read(entry, path)
        if found is None:
            found = examine(path, body)
            if body is not None or _state(path) == before:
                _write(entry, found)
        return found

    return look


def _state(path: str) -> tuple[int, int] | None:
    try:
        stat = os.stat(path)
    except (OSError, ValueError):
        return None
    return stat.st_size, stat.st_mtime_ns


def _key(path: str, body: bytes | None, settings: str) -> str:
    """The name of an entry; a path is part of it, for it says what kind of file it is."""
    digest = hashlib.sha256(settings.encode() + os.fsencode(path) + b"\0")
    if body is None:
        with open(path, "rb") as stream:
            while chunk := stream.read(CHUNK_BYTES):
                digest.update(chunk)
    else:
        digest.update(body)
    name = digest.hexdigest()
    return f"{name[:2]}/{name[2:]}"


def _read(entry: Path, path: str) -> list[Finding] | None:
    try:
        digest, _, rows = entry.read_bytes().partition(b"\n")
        if digest != _digest(rows):
            return None
        os.utime(entry)
        found = [Finding(path, *row) for row in json.loads(rows)]
    except (OSError, ValueError, TypeError):
        return None
    return [finding._replace(cut=finding.cut and (finding.cut[0], finding.cut[1])) for finding in found]


def _write(entry: Path, found: Iterable[Finding]) -> None:
    rows = json.dumps([finding[1:] for finding in found]).encode()
    with contextlib.suppress(OSError):
        entry.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=entry.parent)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(_digest(rows) + b"\n" + rows)
            os.replace(name, entry)
        except BaseException:
            os.unlink(name)
            raise
        _forget_old(entry.parent)


def _digest(rows: bytes) -> bytes:
    return hashlib.sha256(rows).hexdigest().encode()


def _forget_old(folder: Path) -> None:
    oldest = time.time() - KEPT_DAYS * 86400
    for entry in os.scandir(folder):
        with contextlib.suppress(OSError):
            if entry.stat().st_mtime < oldest:
                os.unlink(entry)
