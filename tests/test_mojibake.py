from __future__ import annotations

import pytest

from detector.mojibake import misread

TEXT = "“县里的水库通过了竣工验收”，下游三万亩农田恢复灌溉。"


@pytest.mark.parametrize("codec", ["latin-1", "gb18030"])
def test_utf8_read_as_something_else_is_read_again(codec):
    found = misread(TEXT.encode().decode(codec, "replace"))
    assert found is not None
    assert "竣工验收" in found.text


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        "渡口",
        "Déjà vu, naïve café — “quoted” €20",
        "ÄÖÜ äöü ß",
        "日本語のテキストです。",
        "😀😀😀😀",
        "繁體中文的報導",
        "锟斤拷",
        "ascii",
    ],
)
def test_text_as_it_should_be_is_left_alone(text):
    assert misread(text) is None
