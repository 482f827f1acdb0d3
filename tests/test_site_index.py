from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from detector.blocks import RawPage, concat
from detector.errors import InputError
from detector.guard import Died, Guard
from detector.repeats import RepeatTable, block_hashes, count_repeats, load_repeats
from detector.segment import segment_text
from detector.site_index import Index, Seen, build_index, load_see, see, show_site

TEXTS = ["首页\n雨停了\n版权所有", "首页\n首页\n水涨了", "首页\n渔歌\n版权所有", "首页", "首页\n渔歌", "渔歌", "首页"]
SITES = ["a.cn"] * 4 + ["b.cn"] * 2 + [None]


def crawl() -> list[RawPage]:
    """Four pages of one site with a menu and a slogan, two of another, one of nobody knows where; a site's not together."""
    urls = [site and f"http://www.{site}/{i}" for i, site in enumerate(SITES)]
    pages = [RawPage.from_text(text, page_id=str(i), url=urls[i]) for i, text in enumerate(TEXTS)]
    return pages[::2] + pages[1::2]


@pytest.fixture(scope="module")
def guard() -> Iterator[Guard[Any, Any]]:
    with Guard(load_see, workers=2) as children:
        yield children


def build(guard: Guard[Any, Any], path: Path, pages: list[RawPage]) -> tuple[Index, list[str]]:
    lost: list[str] = []
    return build_index(pages, path, guard, lost.append), lost


def assert_equal(one: RepeatTable, other: RepeatTable) -> None:
    assert one.sites == other.sites
    for name in ("n_pages", "offsets", "hashes", "holding"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), strict=True)


def test_the_table_says_what_counting_in_memory_says(guard: Guard[Any, Any], tmp_path: Path) -> None:
    found, lost = build(guard, tmp_path / "new" / "sites.parquet", crawl())
    assert (found, lost) == (Index(6, 2, 3), ["6: no URL tells its site [no_site]"])
    in_memory = count_repeats([(concat([segment_text(text) for text in TEXTS]), SITES)])
    assert_equal(load_repeats(tmp_path / "new" / "sites.parquet"), in_memory)


def test_order_does_not_matter(guard: Guard[Any, Any], tmp_path: Path) -> None:
    for name, pages in (("a", crawl()), ("b", crawl()[::-1])):
        build(guard, tmp_path / name, pages)
    assert parquet.read_table(tmp_path / "a").equals(parquet.read_table(tmp_path / "b"))


def test_a_page_crawled_again_counts_once(guard: Guard[Any, Any], tmp_path: Path) -> None:
    """Else all that is its own would look repeated."""
    again = [page._replace(page_id="again") for page in crawl()]
    for name, pages in (("once", crawl()), ("often", crawl() + again)):
        build(guard, tmp_path / name, pages)
    assert parquet.read_table(tmp_path / "once").equals(parquet.read_table(tmp_path / "often"))


def test_rows_beyond_memory_go_to_disk(guard: Guard[Any, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detector.site_index.ROWS_AT_ONCE", 3)
    expected: dict[int, int] = defaultdict(int)
    pages = []
    for i in range(60):
        lines = [f"菜单{n}" for n in range(1, 40) if i % n == 0]
        pages.append(RawPage.from_text("\n".join(lines), page_id=str(i), url=f"http://a.cn/{i}"))
        for digest in block_hashes(segment_text("\n".join(lines))).tolist():
            expected[digest] += 1
    build(guard, tmp_path / "sites.parquet", pages)
    table = load_repeats(tmp_path / "sites.parquet")
    repeated = {digest: n for digest, n in expected.items() if n > 1}
    assert dict(zip(table.hashes.tolist(), table.holding.tolist(), strict=True)) == repeated


def test_nothing_is_left_beside_the_table(guard: Guard[Any, Any], tmp_path: Path) -> None:
    build(guard, tmp_path / "sites.parquet", crawl())
    assert [path.name for path in tmp_path.iterdir()] == ["sites.parquet"]


def test_no_pages_make_an_empty_table(guard: Guard[Any, Any], tmp_path: Path) -> None:
    assert build(guard, tmp_path / "sites.parquet", []) == (Index(0, 0, 0), [])
    assert load_repeats(tmp_path / "sites.parquet").sites == []


def test_a_page_that_cannot_be_read_is_told(guard: Guard[Any, Any], tmp_path: Path) -> None:
    found, lost = build(guard, tmp_path / "sites.parquet", [RawPage("x", b"", "http://a.cn/")])
    assert (found.pages, lost) == (0, ["x: the page is empty [empty]"])


def test_blocks_of_a_page_are_distinct_and_signed() -> None:
    seen = see(RawPage.from_text("首页\n渔歌\n首页", url="http://www.a.cn/1"))
    assert isinstance(seen, Seen)
    assert (seen.site, seen.hashes[0], seen.samples[0]) == ("a.cn", 0, "")
    assert sorted(seen.samples[1:]) == ["渔歌", "首页"]
    assert all(-(2**63) <= digest < 2**63 for digest in seen.hashes)
    assert see(RawPage.from_text("首页")) == Died("no_site", "no URL tells its site")


def test_a_site_is_shown(guard: Guard[Any, Any], tmp_path: Path) -> None:
    build(guard, tmp_path / "sites.parquet", crawl())
    assert show_site(tmp_path / "sites.parquet", "a.cn") == (4, [(4, "首页"), (2, "版权所有")])
    with pytest.raises(InputError, match="knows no site"):
        show_site(tmp_path / "sites.parquet", "c.cn")


def test_rows_may_stand_in_any_order_and_in_many_files(guard: Guard[Any, Any], tmp_path: Path) -> None:
    """Engines that group in parallel write them so."""
    build(guard, tmp_path / "sites.parquet", crawl())
    rows = parquet.read_table(tmp_path / "sites.parquet")
    (tmp_path / "folder").mkdir()
    for i in range(len(rows)):
        parquet.write_table(rows.slice(len(rows) - 1 - i, 1), tmp_path / "folder" / f"part-{i}.parquet")
    (tmp_path / "folder" / "_SUCCESS").touch()
    assert_equal(load_repeats(tmp_path / "folder"), load_repeats(tmp_path / "sites.parquet"))


@pytest.mark.parametrize("damage", ["text", "columns", "totals"])
def test_a_file_that_is_no_table_is_refused_by_name(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "sites.parquet"
    if damage == "text":
        path.write_text("site,hash,pages\n")
    else:
        columns = {"site": ["a.cn"], "hash": np.array([7], np.int64), "pages": [2]}
        parquet.write_table(pa.table(columns | ({"site": [1]} if damage == "columns" else {})), path)
    with pytest.raises(InputError, match=r"sites\.parquet: not a table of repeated blocks"):
        load_repeats(path)
    if damage == "text":
        with pytest.raises(InputError, match=r"sites\.parquet: not a table of repeated blocks"):
            show_site(path, "a.cn")
