"""Tags, landmarks and the class and id words that site builders give away."""

from __future__ import annotations

import numpy as np
import re2
from numpy.typing import NDArray

from detector import compiled
from detector.arrays import side_by_side
from detector.blocks import LANDMARKS, NAMED_LEVELS, TAGS, Blocks

# What a class or id tells, as seen on many sites (and as resiliparse, readability and magic-html look for). The model
# weighs each family; none is a rule.
FAMILIES = {
    "article": r"artic|artibody|endtext|trs_editor|zoom|story|news_?(?:con|txt|text|body)|entry|post_?-?(?:body|con)|mainbody"
    r"|cont(?:ent)?_?-?text|artcon|rich_media|main-?text|text-?content",
    "content": r"content|cont?\d*\b|text|txt|detail|body|para|wenzhang|zhengwen|neirong|blkcontainer",
    "main": r"main|center|middle|primary|left|wrap",
    "title": r"title|headline|tit\b|biaoti|\bh1",
    "meta": r"info|source|time|date|author|editor|meta|from|byline|pub|origin|laiyuan",
    "nav": r"nav|menu|crumb|path|position|location|channel|daohang|tab\b|tabs|guide",
    "header": r"head|top|logo|banner|site",
    "footer": r"foot|bottom|copyright|copy|friend|about",
    "side": r"side|right|aside|widget|column|col-?\d",
    "related": r"relat|recom|hot|rank|xgyd|xiangguan|more|guess|news_?list|\blist|item|latest|extend",
    "comment": r"comm?ent|reply|pinglun|discuss|gentie|remark|message|guestbook|tie",
    "share": r"share|jiathis|bshare|social|tool|font_?size|print|weibo|qrcode|code|app",
    "ad": r"\bad[sv]?\b|\bad[_-]|ad\d|advert|guanggao|\bgg|sponsor|promo|_ad\b|google",
    "form": r"search|login|form|regist|user|vote|survey",
    "picture": r"pic|img|photo|image|caption|figure|slide|gallery|video|player",
    "tag": r"tags?\b|keyword|label|topic",
    "page": r"pag(?:e|er|ing|ination)\b|prev|next|fenye",
    "small": r"small|gray|grey|f12|font12|hui|note|tips|summary|abstract|lead|intro|daodu",
}


def _pattern_set() -> re2.Set:
    patterns = re2.Set.SearchSet()
    for pattern in FAMILIES.values():
        patterns.Add(pattern)
    patterns.Compile()
    return patterns


# All families are looked for at once, in a tenth of the time of one search each by `re`: every page has its own names.
_PATTERNS = _pattern_set()

_TAG_GROUPS = {
    "p": ("p",),
    "div": ("div", "section", "article", "main", "center", "body"),
    "cell": ("td", "th"),
    "item": ("li", "dd", "dt", "ul"),
    "h1": ("h1",),
    "h2": ("h2",),
    "h3": ("h3", "h4", "h5", "h6"),
    "caption": ("figcaption", "caption"),
}

_GROUPED = np.array([[tag in tags for tag in TAGS] for tags in _TAG_GROUPS.values()])  # (groups, TAGS)

NAMES = (
    *(f"tag_{name}" for name in _TAG_GROUPS),
    *(f"in_{name}" for name in LANDMARKS),
    *(f"name_{name}" for name in FAMILIES),
    "depth", "bold_share", "hidden", "log_named",
)  # fmt: skip


def family_mask(name: str) -> int:
    """Return one bit for each family that the class/id string `name` belongs to."""
    return sum(1 << i for i in _PATTERNS.Match(name) or ())


MAX_MASKS = 65536
_MASKS: dict[str, int] = {}  # of names that have been met; a look into it takes a third of the time of `lru_cache`


def family_masks(names: list[str]) -> list[int]:
    """Return the `family_mask` of each name."""
    known = [_MASKS.get(name, -1) for name in names]
    if -1 in known:
        if len(_MASKS) > MAX_MASKS:
            _MASKS.clear()
        known = [family_mask(name) if mask < 0 else mask for name, mask in zip(names, known, strict=True)]
        _MASKS.update(zip(names, known, strict=True))
    return known


def columns(blocks: Blocks) -> NDArray[np.float32]:
    """Return float32 (n, len(NAMES)); a family's column is ``1 / (1 + level)`` of its nearest named ancestor, else 0."""
    landmark_columns = [(blocks.landmarks >> bit) & 1 for bit in range(len(LANDMARKS))]
    named = (blocks.named >= 0).sum(axis=1)
    rest = [blocks.depth, blocks.bold_chars / blocks.n_chars, blocks.hidden, np.log1p(named)]
    return side_by_side([_GROUPED[:, blocks.tag].T, *landmark_columns, _nearest(blocks), *rest])


def _nearest(blocks: Blocks) -> NDArray[np.float32]:
    masks = np.array([*family_masks(blocks.names), 0], np.int64)  # the last serves level -1
    closeness = np.zeros((len(FAMILIES), len(blocks)), np.float32)
    if compiled.columns is not None:
        compiled.columns.nearest(masks[:-1], blocks.named, closeness)
        return closeness.T
    levels = masks[blocks.named]
    families = np.arange(len(FAMILIES))[:, None]
    for level in range(NAMED_LEVELS - 1, -1, -1):
        present = (levels[:, level] >> families) & 1
        np.copyto(closeness, np.float32(1 / (1 + level)), where=present.astype(bool))
    return closeness.T
