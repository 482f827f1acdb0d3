"""Text that was read under another encoding than it was written in."""

from __future__ import annotations

from typing import NamedTuple

from detector.chars import count_between, count_han

MIN_HAN = 4  # in what a text says when read again; fewer come about by chance
MAX_LOST = 0.3  # of its characters; reading under the wrong encoding loses a byte here and there
PROBED_CHARS = 64  # of a text that are tried before the whole is
MAX_MARKED = 0.3  # of a text's characters that are letters and signs of Latin-1; no language has half as many
# What browsers make of the bytes 0x80 to 0x9F when they read a page as windows-1252.
_TO_LATIN = {ord(bytes([b]).decode("cp1252")): b for b in range(0x80, 0xA0) if b not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)}


class Misread(NamedTuple):
    """What a text says when UTF-8 is read as such, and the encoding it was taken for."""

    text: str
    taken_for: str


def misread(text: str) -> Misread | None:
    """Return what a text was before UTF-8 was read as something else; None for text as it should be.

    Chinese text whose bytes in another encoding happen to be valid UTF-8 nearly throughout does not come about by chance.

    Examples
    --------
    >>> misread("水库通过验收，灌溉三万亩".encode().decode("gb18030"))
    Misread(text='水库通过验收，灌溉三万亩', taken_for='gb18030')
    >>> misread("水库通过验收，灌溉三万亩") is None
    True
    """
    if text.isascii():
        return None
    for name in ("windows-1252", "gb18030"):
        if _read_again(text[:PROBED_CHARS], name) and (said := _read_again(text, name)):
            return Misread(said, name)
    return None


def _read_again(text: str, name: str) -> str | None:
    if name == "windows-1252":
        body = text.translate(_TO_LATIN).encode("latin-1", "replace")
    else:
        body = text.encode(name, "replace")
    said = body.decode("utf-8", "replace")
    lost = said.count("\ufffd") + said.count("?") - text.count("?")
    return said if lost <= MAX_LOST * len(said) and count_han(said) >= MIN_HAN and said != text else None


def garbled_share(text: str) -> float:
    """Return the share of a text's characters that say nothing: those that were replaced, or all of what was read as Latin-1.

    Examples
    --------
    >>> garbled_share("水库通过验收".encode().decode("cp1252", "replace").encode().decode("latin-1"))
    1.0
    >>> garbled_share("水库\ufffd过")
    0.25
    """
    if text.isascii():
        return 0.0
    if count_between(text, 0x80, 0xFF) > MAX_MARKED * len(text):
        return 1.0
    return count_between(text, 0xFFFD, 0xFFFD) / len(text)
