"""The second reading of a page of which the first lost text.

By the rules of HTML a parser sets text aside: what stands behind a ``<textarea>`` or a comment that nobody closes, in a
``<select>``, in a frameset, in a document of its own inside an attribute. Browsers do the same and readers miss it, or
they do better; either way nothing of a page may go without a word. Where text is missing, the page is read once more
without the tags that have swallowed it.
"""

from __future__ import annotations

import re
from html import unescape

from detector.chars import count_han

MIN_LOST = 20  # Han characters; fewer are a menu's, or the end of a page that was cut
TAIL = 4096  # characters in which the tags stand that close all what is open

_TRAPS = ("select", "textarea", "template", "svg", "math", "datalist", "iframe", "noembed", "xmp", "canvas", "title")
_CODE = ("script", "style")  # what they swallow is counted, but not read: most of it is a program
# Closing tags, and the end of a comment before them, read from the end of a page.
_BACKWARDS = re.compile(r"(?:\s*>(?:[a-z]+/|ydob)<)*\s*(?:>--)?")
_SET_ASIDE = (("<!--", "-->"), *((f"<{tag}", f"</{tag}") for tag in (*_TRAPS, *_CODE)))
_TRAP = re.compile(rf"</?(?:{'|'.join(_TRAPS[:-1])}|option|optgroup|noframes|frameset|frame|plaintext)\b[^<>]*>", re.I)
_TITLE = re.compile(r"<title\b[^<>]*>", re.I)
_DOCUMENT = re.compile(r"""<iframe\b[^<>]*?\ssrcdoc\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.I)


def has_lost_text(html: str, canonical: str) -> bool:
    """Say whether the canonical form of a page, or what a reader sees of it, lacks text that its markup has outside of tags.

    Parameters
    ----------
    html : str
        The page as it came.
    canonical : str
        The same, as the parser writes it out again.

    Examples
    --------
    >>> has_lost_text("<p>水</p><!-- " + "渠" * 99, "<p>水</p><!-- " + "渠" * 99 + "-->")
    True
    """
    return may_have_lost_text(html, count_han(html) - count_han(canonical), _ending(canonical))


def may_have_lost_text(html: str, lost: int, ending: str | None) -> bool:
    """Say the same of less: the Han characters that the canonical form lacks, and the tags that end it.

    Where it lacks fewer of them than `lost`, where not all of the tags in `ending` end it or none are known, a loss may be none.
    """
    return ending is None or lost >= MIN_LOST or _is_swallowed(html, ending)


def has_documents(html: str) -> bool:
    """Say whether a page may hold text that browsers show as documents of their own: shadow roots, and what stands in an attribute."""
    return "shadowroot" in html or "srcdoc" in html


def _ending(canonical: str) -> str:
    backwards = _BACKWARDS.match(canonical[: -TAIL - 1 : -1])
    return backwards[0][::-1] if backwards else ""


def _is_swallowed(html: str, ending: str) -> bool:
    """Whether the page ends inside something that hides text and that its markup does not close."""
    return any(
        count_han(_behind(opener, closer, html)) >= MIN_LOST for opener, closer in _SET_ASIDE if closer in ending
    )


def _behind(opener: str, closer: str, html: str) -> str:
    """What stands behind the last beginning or end of something."""
    for size in (TAIL // 16, TAIL):
        tail = html[-size:].lower()
        at = tail.rfind(closer)
        if at >= 0 and opener not in tail[at:]:
            return tail[at:]
    whole = html.lower()
    return html[max(whole.rfind(opener), whole.rfind(closer)) :]


def without_traps(html: str) -> str:
    """Return markup without the tags that set text aside; what stands in an attribute as a document is put in its place."""
    if "srcdoc" in html:
        html = _DOCUMENT.sub(lambda match: f"<div>{unescape(match[1] or match[2] or '')}</div><i", html)
    html = _TRAP.sub("", html)
    if "</title" not in html.lower():
        html = _TITLE.sub("", html)
    comment = html.rfind("<!--")
    return html[:comment] + html[comment + 4 :] if comment > html.rfind("-->") else html
