"""Feed what nobody wrote to what reads pages and archives, and see that nothing breaks and nothing is lost.

    python tests/fuzz/fuzz.py predict|jsonl|warc [SECONDS] [FOLDER] [SEED]

With atheris (`pip install 'detector[fuzz]'`) the inputs are guided by what code they reach, and those that reach more are
kept in FOLDER for the next time; without it, they are changed by chance. Both begin with `seeds` and the inputs in
`tests/fuzz/corpus/TARGET/`, which reached more in longer runs. An input that breaks
something is left as a file (crash-*), and belongs into that corpus, too: the tests try all of it.
"""

from __future__ import annotations

import gzip
import io
import json
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]


def instrumented() -> AbstractContextManager[object]:
    """Let atheris see what the package's code does, where this is run and atheris is there."""
    if __name__ != "__main__" or not find_spec("atheris"):
        return nullcontext()
    import atheris

    return atheris.instrument_imports(include=["detector"])


with instrumented():
    from badinputs import BODY, bad_pages
    from warcs import OK, packed, record

    from detector.blocks import RawPage
    from detector.model import Model, load_model
    from detector.pipeline import detect
    from detector.readers import DEFAULT_FIELDS, READERS
    from detector.writers import record_of

LARGEST = 20_000  # bytes of an input
PROBLEMS = {
    "jsonl": {"bad_json", "bad_record", "no_field", "not_text", "too_large", "empty"},
    "warc": {"damaged", "truncated", "too_large", "no_page"},
}


@lru_cache(maxsize=1)
def model() -> Model:
    return load_model(HERE.parents[1] / "models" / "news_v1")


def predict(data: bytes) -> None:
    """Judge a page: one verdict, that can be written, with spans inside their blocks, and no fault called `failed`."""
    (verdict,) = detect([RawPage("x", data)], model())
    json.dumps(record_of(verdict), ensure_ascii=False).encode()
    assert verdict.error is None or verdict.error[0] not in ("failed", "memory"), verdict.error
    blocks = verdict.blocks
    assert all(0 <= s.start < s.end <= len(blocks[s.block].text) for s in verdict.spans if s.block >= 0)


def jsonl(data: bytes) -> None:
    """Read records: no line is lost, and what cannot be read is named."""
    pages = read("jsonl", data)
    assert len(pages) == sum(bool(line.strip(b"\xef\xbb\xbf \t\r\n")) for line in data.split(b"\n"))


def warc(data: bytes) -> None:
    """Read an archive: what cannot be read is named; bytes that are no archive are not passed over."""
    pages = read("warc", data)
    assert pages or not data.strip(b"\r\n\0") or b"WARC/" in data or data[:2] in (b"\x1f\x8b", b"\x28\xb5", b"\x5d\x2a")


def read(kind: str, data: bytes) -> list[RawPage]:
    pages = list(READERS[kind](io.BytesIO(data), "x", DEFAULT_FIELDS))
    assert {page.problem[0] for page in pages if page.problem} <= PROBLEMS[kind]
    assert all(page.page_id.encode() for page in pages)
    return pages


TARGETS: dict[str, Callable[[bytes], None]] = {"predict": predict, "jsonl": jsonl, "warc": warc}


def seeds(target: str) -> list[bytes]:
    if target == "jsonl":
        return [
            b'{"id": 1, "html": "<p>\\u6c34", "url": "http://a.cn/"}\n[1]\n\n{"text": "rain"',
            b"\xef\xbb\xbf{}\r\n\xff\n",
        ]
    if target == "warc":
        records = [record(i, BODY.encode(), OK, kind) for i, kind in enumerate(("response", "request", "conversion"))]
        chunked = record(3, b"3\r\n<p>\r\n0\r\n\r\n", OK + b"Transfer-Encoding: chunked\r\n")
        zipped = record(4, gzip.compress(b"<p>"), OK + b"Content-Encoding: gzip\r\n")
        return [b"".join(packed([*records, chunked, zipped], suffix)) for suffix in ("", ".gz", ".zst")]
    bodies = (bad.body for bad in bad_pages() if len(bad.body) < LARGEST)
    return [body.encode("utf-8", "replace") if isinstance(body, str) else body for body in bodies]


def changed(random_: random.Random, pool: list[bytes]) -> bytes:
    """Return some input of a pool with a few changes: bytes flipped, cut out, doubled, or taken from another one."""
    data = bytearray(random_.choice(pool))
    for _ in range(random_.randint(1, 6)):
        at = random_.randint(0, len(data))
        size = random_.choice((1, 2, 4, 16, 200))
        other = random_.choice(pool)
        start = random_.randint(0, len(other))
        piece = random_.choice((b"", random_.randbytes(size), data[at : at + size] * 2, other[start : start + size]))
        data[at : at + size] = piece
    return bytes(data[:LARGEST])


def inputs(target: str, seed: int = 0) -> Iterator[bytes]:
    """Yield the corpus, the seeds, and then changes of them without end."""
    pool = [path.read_bytes() for path in sorted((HERE / "corpus" / target).glob("*"))] + seeds(target)
    yield from pool
    random_ = random.Random(seed)
    while True:
        yield changed(random_, pool)


def main(target: str, seconds: float = 60, folder: str = "", seed: str = "0") -> None:
    kept = Path(folder or HERE / "kept" / target)
    kept.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(seeds(target)):
        (kept / f"seed-{number:03}").write_bytes(data)
    if not find_spec("atheris"):
        by_chance(target, seconds, int(seed) or time.time_ns())
        return
    import atheris

    options = [
        f"-max_total_time={seconds:.0f}",
        f"-max_len={LARGEST}",
        f"-seed={seed}",
        "-rss_limit_mb=4096",
        "-timeout=300",
    ]
    atheris.Setup([sys.argv[0], *options, str(kept), str(HERE / "corpus" / target)], TARGETS[target])
    atheris.Fuzz()


def by_chance(target: str, seconds: float, seed: int) -> None:
    end, number = time.monotonic() + seconds, 0
    for number, data in enumerate(inputs(target, seed), 1):
        try:
            TARGETS[target](data)
        except BaseException:
            Path(f"crash-{target}-{number}").write_bytes(data)
            raise
        if time.monotonic() > end:
            break
    print(f"{number} inputs of {target}, nothing broke")


if __name__ == "__main__":
    main(sys.argv[1], *map(float, sys.argv[2:3]), *sys.argv[3:5])
