"""Extractors of main text, to compare with."""

from __future__ import annotations

from collections.abc import Callable


def peers() -> dict[str, Callable[[str], str]]:
    """Return the extractors that are installed, as functions of decoded markup."""
    found: dict[str, Callable[[str], str]] = {}
    try:
        from resiliparse.extract.html2text import extract_plain_text

        found["resiliparse"] = lambda html: extract_plain_text(html, main_content=True)
    except ImportError:
        pass
    try:
        import trafilatura

        found["trafilatura"] = lambda html: trafilatura.extract(html) or ""
        found["trafilatura (fast)"] = lambda html: trafilatura.extract(html, fast=True) or ""
    except ImportError:
        pass
    try:
        import lxml.html
        from readability import Document

        found["readability"] = lambda html: lxml.html.fromstring(Document(html).summary()).text_content()
    except ImportError:
        pass
    try:
        import justext

        found["justext"] = lambda html: "\n".join(
            p.text for p in justext.justext(html, frozenset(), length_low=20, length_high=50, stopwords_low=0, stopwords_high=0)
            if not p.is_boilerplate
        )  # fmt: skip
    except ImportError:
        pass
    try:
        from magic_html import GeneralExtractor

        extractor = GeneralExtractor()
        found["magic-html"] = lambda html: extractor.extract(html, base_url="")["html"]
    except ImportError:
        pass
    return found
