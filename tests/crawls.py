"""Crawls for tests: the tiny corpus as files of each kind, and a command line that runs in a process of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import zstandard
from pyarrow import parquet
from warcs import packed, record

HANGS = "<p>水库" * 190_000  # a page that takes the model some seconds, within all limits
SITES = ["www.a-daily.cn", "b-news.com.cn"]


def rows_of(stories: list[Any], n: int) -> list[dict[str, Any]]:
    """Records with columns of their own, stories over and over."""
    return [
        {
            "id": f"p{i:04d}", "url": f"http://{SITES[i % 2]}/{i}.html", "html": stories[i % len(stories)].html,
            "fetched": f"2026-01-{i % 28 + 1:02d}", "rank": i,
        }
        for i in range(n)
    ]  # fmt: skip


def write_jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_bytes("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode())
    return path


def write_parquet(path: Path, rows: list[dict[str, Any]]) -> Path:
    parquet.write_table(pa.Table.from_pylist(rows), path)
    return path


def write_warc(path: Path, rows: list[dict[str, Any]]) -> Path:
    suffix = path.suffix if path.suffix in (".gz", ".zst") else ""
    path.write_bytes(b"".join(packed((record(i, row["html"].encode()) for i, row in enumerate(rows)), suffix)))
    return path


def read_rows(folder: Path) -> list[dict[str, Any]]:
    """All rows below a folder of parts, in order."""
    found: list[dict[str, Any]] = []
    for path in sorted(folder.iterdir()):
        if path.suffix == ".parquet":
            found += parquet.read_table(path).to_pylist()
        else:
            data = path.read_bytes()
            data = zstandard.ZstdDecompressor().decompressobj().decompress(data) if path.suffix == ".zst" else data
            found += [json.loads(line) for line in data.decode().splitlines()]
    return found


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file of an output, by its path in it."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
