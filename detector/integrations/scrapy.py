"""An item pipeline for Scrapy: items whose page is spam are dropped with the reason, the others get its cleaned text.

    ITEM_PIPELINES = {"detector.integrations.scrapy.DetectorPipeline": 300}

Settings: DETECTOR_HTML_FIELD (``html``), DETECTOR_URL_FIELD (``url``), DETECTOR_TEXT_FIELD (``text``, where the cleaned
text goes), DETECTOR_MODEL, DETECTOR_POLICY, DETECTOR_SITES, DETECTOR_PAGE_SECONDS. Statistics: ``detector/keep``,
``detector/reason/…``. Pages are judged in a guarded child, in turn, and never in the reactor's thread.
"""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from itemadapter import ItemAdapter
from scrapy.exceptions import DropItem
from scrapy.utils.defer import maybe_deferred_to_future
from twisted.internet.threads import deferToThread

from detector.blocks import RawPage
from detector.guard import SECONDS, Guard
from detector.judged import Judging, Row, row_of
from detector.labels import DEFAULT_POLICY
from detector.readers import DEFAULT_FIELDS

if TYPE_CHECKING:
    from scrapy.crawler import Crawler


class DetectorPipeline:
    """Judges the page of each item."""

    def __init__(self, crawler: Crawler) -> None:
        settings = crawler.settings
        self.html_field: str = settings.get("DETECTOR_HTML_FIELD", "html")
        self.url_field: str = settings.get("DETECTOR_URL_FIELD", "url")
        self.text_field: str = settings.get("DETECTOR_TEXT_FIELD", "text")
        self.stats = crawler.stats
        sites = settings.get("DETECTOR_SITES")
        self.judging = Judging(
            settings.get("DETECTOR_MODEL"), settings.get("DETECTOR_POLICY", DEFAULT_POLICY), (), sites and Path(sites),
            settings.getfloat("DETECTOR_PAGE_SECONDS", SECONDS),
        )  # fmt: skip
        self._guard: Guard[RawPage, Row] | None = None
        self._turn = Lock()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> DetectorPipeline:
        """Make the pipeline, as Scrapy asks for it."""
        return cls(crawler)

    def open_spider(self) -> None:
        """Start the child."""
        self._guard = self.judging.guard()

    def close_spider(self) -> None:
        """End it."""
        if self._guard:
            self._guard.close()

    async def process_item(self, item: Any) -> Any:
        """Return the item with its cleaned text, or drop it with the reasons."""
        adapter = ItemAdapter(item)
        url = adapter.get(self.url_field)
        page = RawPage(url or "-", adapter.get(self.html_field) or "", url)
        row = await maybe_deferred_to_future(deferToThread(self._judge, page))
        self._count(row)
        if row["verdict"] == "drop":
            raise DropItem(", ".join(row["reasons"]))
        adapter[self.text_field] = row["text"]
        for name in ("verdict", "reasons"):
            if isinstance(item, dict) or name in adapter.field_names():
                adapter[name] = row[name]
        return item

    def _judge(self, page: RawPage) -> Row:
        assert self._guard
        with self._turn:
            return row_of(self._guard.ask(page), page, DEFAULT_FIELDS)

    def _count(self, row: Row) -> None:
        if self.stats:
            self.stats.inc_value(f"detector/{row['verdict']}")
            for reason in row["reasons"]:
                self.stats.inc_value(f"detector/reason/{reason}")
