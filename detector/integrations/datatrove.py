"""A filter and an extractor for datatrove.

The filter says why it drops a document, keeps what it found in the document's metadata and cuts injected strings out of
the text; the extractor is for pipelines that are built around one, and only gives the cleaned text.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from datatrove.pipeline.extractors.base import BaseExtractor
from datatrove.pipeline.filters.base_filter import BaseFilter

from detector.blocks import RawPage
from detector.guard import SECONDS, Guard
from detector.judged import DEFAULT_JUDGING, Judging, Row, load_judge, row_of
from detector.readers import DEFAULT_FIELDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from datatrove.data import Document, DocumentsPipeline
    from datatrove.pipeline.writers.disk_base import DiskWriter


class DetectorFilter(BaseFilter):  # type: ignore[misc]
    """Drops documents that are spam; of the others the text is what is left once spam and chrome are cut out.

    Parameters
    ----------
    judging : Judging
        Model, policy and limits. A page that ends its child is dropped as ``timeout``, ``memory`` or ``crashed``.
    markup : bool
        Whether documents hold markup, not plain text.
    exclusion_writer : DiskWriter, optional
        Gets the dropped documents with ``filter_reason`` in their metadata.
    """

    name = "🀄 detector"

    def __init__(
        self, judging: Judging = DEFAULT_JUDGING, *, markup: bool = False, exclusion_writer: DiskWriter | None = None
    ) -> None:
        super().__init__(exclusion_writer)
        self.judging, self.markup = judging, markup
        self._guard: Guard[RawPage, Row] | None = None

    def run(self, data: DocumentsPipeline, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        """Filter documents while a guarded child is there to judge them."""
        with self.judging.guard() as self._guard:
            yield from super().run(data, rank, world_size)
        self._guard = None

    def filter(self, doc: Document) -> bool | tuple[bool, str]:
        """Keep a document, cleaned, or say why not."""
        assert self._guard
        media_type = "text/html" if self.markup else "text/plain"
        page = RawPage(str(doc.id), doc.text, doc.metadata.get("url"), media_type=media_type)
        row = row_of(self._guard.ask(page), page, DEFAULT_FIELDS)
        doc.metadata |= {"verdict": row["verdict"], "reasons": row["reasons"]}
        if row["verdict"] == "drop":
            return False, row["reasons"][0]
        doc.text = row["text"]
        return True


class DetectorExtractor(BaseExtractor):  # type: ignore[misc]
    """Extracts the cleaned text of markup; nothing of a page that is spam."""

    name = "🀄 detector"

    def __init__(self, judging: Judging = DEFAULT_JUDGING, timeout: float = SECONDS) -> None:
        super().__init__(timeout)  # its child has to load the model in that time, too
        self.judging = judging

    def extract(self, text: str) -> str:
        """Return the text of a page, '' where it is to be dropped."""
        if not text:  # the child is warmed up with nothing
            _judge(self.judging)
            return ""
        (row,) = _judge(self.judging)([RawPage("-", text)])
        return "" if row["verdict"] == "drop" else str(row["text"])


@lru_cache(maxsize=1)
def _judge(judging: Judging) -> Callable[[list[RawPage]], list[Row]]:
    return load_judge(judging.model, judging.policy, judging.cues, judging.sites)
