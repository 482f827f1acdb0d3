from __future__ import annotations

import pytest

from detector.blocks import RawPage
from detector.noise import find_noise
from detector.pipeline import detect


def shown(texts, model):
    return [texts[n][a:b] for n, a, b in find_noise(texts, model.spans.heat.background)]


@pytest.mark.parametrize(
    ("texts", "noise"),
    [
        (["會(huì)議昨日召(zhào)開，市(shì)長出席"], ["(huì)", "(zhào)", "(shì)"]),
        (["会（huì）议在市（shì）里举行", "", "人（rén）大代表出席"], ["（huì）", "（shì）", "（rén）"]),
        (["要加♋强管理", "国♋家统计局和银♋行"], ["♋", "♋", "♋"]),
        (["全国🎰各地", "企🎰业发展", "人🎰民政府"], ["🎰", "🎰", "🎰"]),
    ],
)
def test_noise_all_over_a_page_is_certain(model, texts, noise):
    assert shown(texts, model) == noise


@pytest.mark.parametrize(
    "texts",
    [
        ["亳(bó)州的溱(qín)潼和郇(xún)阳、盱(xū)眙"],  # rare characters are glossed honestly
        ["行(háng)业的行(xíng)为"],  # two readings of one character
        ["要加♋强管理"],  # once may be a slip
        ["第一章★总则", "第二章★机构", "第三章★附则"],
        ["约翰·史密斯与玛丽·安和保罗·李"],
        ["甲☆乙☆丙"],
        ["10%的企业×20%的税率", "每㎡的价格"],
        [],
        ["", "国"],
    ],
)
def test_what_may_be_honest_is_left_alone(model, texts):
    assert shown(texts, model) == []


def test_noise_is_reported_and_repaired(model):
    text = "会(huì)议昨日在县(xiàn)里召开，市(shì)长出席并讲话，要求各地抓好春耕生产。\n与会人员实地察看了高标准农田。"
    (verdict,) = detect([RawPage.from_text(text)], model)
    assert verdict.reasons == ["woven_noise"]
    assert verdict.text.startswith("会议昨日在县里召开，市长出席并讲话")
