"""Host names and registered domains: the unit by which pages are split and counted."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

_HOST = re.compile(r"^(?:[a-z][a-z0-9+.-]*:)?//(?:[^/@?#]*@)?(\[[0-9a-f:.]+\]|[^/:?#\s]+)", re.I)
_ADDRESS = re.compile(r"^(?:\d{1,3}(?:\.\d{1,3}){3}|\[.*\])$")


def host_of(url: str | None) -> str:
    """Return the host of `url` in lower case, '' when there is none."""
    match = _HOST.match((url or "").strip())
    return match.group(1).lower().rstrip(".") if match else ""


def site_of(url: str | None) -> str | None:
    """Return the registered domain of `url`, None when it has none."""
    return domain_of(host_of(url)) or None


@lru_cache(maxsize=65536)
def domain_of(host: str) -> str:
    """Return the registered domain of a host (``news.sina.com.cn`` → ``sina.com.cn``), by the Public Suffix List.

    A host that has none (an address, a bare name) is returned as it is.
    """
    if _ADDRESS.match(host):
        return host.lower()
    return _suffixes().privatesuffix(host.lower()) or host.lower()


@lru_cache(maxsize=1)
def _suffixes() -> Any:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()
