import numpy as np
import pytest

from detector.augment import OWN_PART, part_of, written_lines
from detector.blocks import RawPage
from detector.corpus import (
    MAX_PARAGRAPHS,
    N_GENERAL,
    GoldPage,
    _amid_content,
    as_text,
    concat_labeled,
    gather,
    general_documents,
    label_gold,
    read_gold,
    sentence_pages,
    single_lines,
    with_spam,
)
from detector.errors import InputError
from detector.labeled import read_labeled
from detector.labels import UNLABELED, Label
from detector.rows import is_copy, is_sentence
from detector.segment import segment, segment_text
from detector.sentences import Document


def labeled(story):
    blocks = segment(story.html, page_id=story.page_id)
    return blocks, np.array(
        [Label.CONTENT if text in story.content else Label.CHROME for text in blocks.texts()], np.int8
    )


def texts_of(blocks, label, wanted):
    return [text for text, value in zip(blocks.texts(), label.tolist(), strict=True) if value == wanted]


# ---------------------------------------------------------------- gold


def test_gold_pages_are_read_with_their_sites(gold_folder, stories):
    found = list(read_gold(gold_folder / "pages", gold_folder / "gold", gold_folder / "index.jsonl"))
    assert [(page.page.page_id, page.site, page.page.url) for page in found] == [
        (story.page_id, story.site, story.page.url) for story in stories
    ]
    assert found[0].gold == "\n".join(stories[0].content)


@pytest.mark.parametrize(
    ("row", "site"),
    [
        ('{"id": "a"}', "a"),
        ('{"id": "a", "url": "http://news.hewan.com.cn/1"}', "hewan.com.cn"),
        ('{"id": "a", "site": "news.hewan.com.cn"}', "hewan.com.cn"),
        ('{"id": "a", "domain": "别处", "url": "http://hewan.com.cn/1"}', "别处"),
        ('{"id": "a", "near_dup_of": "b"}', None),
        ('{"id": "a", "gold_in_page": 0.5}', None),
        ("", "a"),
    ],
)
def test_the_index_names_sites_and_leaves_pages_out(tmp_path, row, site):
    (tmp_path / "a.html").write_text("<p>河湾村通车</p>", "utf-8")
    (tmp_path / "a.txt").write_text("河湾村通车", "utf-8")
    (tmp_path / "index.jsonl").write_text(row, "utf-8")
    found = [page.site for page in read_gold(tmp_path, tmp_path, tmp_path / "index.jsonl")]
    assert found == ([] if site is None else [site])


def test_a_page_without_gold_is_left_out(tmp_path):
    (tmp_path / "a.html").write_text("<p>河湾村通车</p>", "utf-8")
    assert list(read_gold(tmp_path, tmp_path)) == []


@pytest.mark.parametrize(
    "body",
    [
        "不是 JSON",
        pytest.param('{"url": "http://a"}'),
        pytest.param("[1]"),
    ],
)
def test_what_is_no_index_is_named(tmp_path, body):
    (tmp_path / "index.jsonl").write_text(body, "utf-8")
    with pytest.raises(InputError, match=r"index.jsonl: not an index"):
        list(read_gold(tmp_path, tmp_path, tmp_path / "index.jsonl"))


def test_gold_text_labels_blocks(stories):
    story = stories[0]
    blocks, label = label_gold(GoldPage(story.page, story.site, "\n".join(story.content)))
    assert texts_of(blocks, label, Label.CONTENT) == list(story.content)


# ---------------------------------------------------------------- copies


def comes_from(text, originals):
    """Tell whether a text is one of some, or one of them with a brand in a name's place."""
    return any(text == old or text[:2] == old[:2] or text[-2:] == old[-2:] for old in originals)


@pytest.mark.parametrize("seed", [str(number) for number in range(10)])
def test_spam_is_spam_and_what_was_honest_stays_so(stories, seed):
    story = stories[int(seed) % len(stories)]
    blocks, label = labeled(story)
    changed, new = with_spam(story.page, blocks, label, seed, part_of(story.site))
    old = set(blocks.texts())
    assert texts_of(changed, new, Label.SPAM)
    assert not old & set(texts_of(changed, new, Label.SPAM))
    assert all(comes_from(text, story.content) for text in texts_of(changed, new, Label.CONTENT))
    assert all(comes_from(text, old - set(story.content)) for text in texts_of(changed, new, Label.CHROME))
    assert changed.page_ids == [f"{story.page_id}+spam"]


def test_far_from_the_spam_nothing_is_learned_twice(stories):
    story = stories[0]
    _, label = with_spam(story.page, *labeled(story), "3", 0)
    spam = np.flatnonzero(label == Label.SPAM)
    known = np.flatnonzero(label >= 0)
    assert np.abs(known[:, None] - spam).min(axis=1).max() <= 4


def test_general_text_becomes_documents_of_one_line():
    lines = ["短句。", *(f"第{number}段渠道今天上午开始放水，沿线村庄陆续浇地。" for number in range(9)), "长" * 999]
    found = general_documents(lines)
    assert sorted(d.texts[1] for d in found) == sorted(lines[1:-1])
    assert found == general_documents(lines)
    assert len(general_documents([f"{n}" * 20 for n in range(10, 99)] * 99)) == N_GENERAL


def test_a_headline_that_stands_twice_keeps_both_labels():
    """In the copy with spam the headline took the label of its twin in the list of related links."""
    html = "<h1>青石桥修复完工</h1><p>青石桥昨日修复完工，两岸恢复通行。</p><ul><li>青石桥修复完工</li></ul>"
    blocks = segment(html)
    changed, label = with_spam(RawPage.from_html(html), blocks, np.int8([0, 0, 1]), "5", 0)
    twins = [value for text, value in zip(changed.texts(), label.tolist(), strict=True) if text == "青石桥修复完工"]
    assert twins == [0, 1]


def test_the_same_seed_makes_the_same_copy(stories):
    story = stories[0]
    copies = [with_spam(story.page, *labeled(story), "7", 0) for _ in range(2)]
    assert copies[0][0].text == copies[1][0].text
    assert copies[0][1].tolist() == copies[1][1].tolist()


def test_honest_look_alikes_beside_spam_stay_content(stories):
    """In training, all that was strange to a page had been spam: a report on gambling in any other page was called spam."""
    alike = [Document(["", "警方打掉一个网络赌博团伙。", "涉案平台名为阿喏哩，注册即送彩金。"], [[], [], []], "own0")]
    found = [
        texts_of(*with_spam(stories[0].page, *labeled(stories[0]), seed, 0, alike), Label.CONTENT) for seed in "abcdef"
    ]
    assert sum(set(alike[0].texts[1:]) <= set(texts) for texts in found) > 2
    spam = [
        texts_of(*with_spam(stories[0].page, *labeled(stories[0]), seed, 0, alike), Label.SPAM) for seed in "abcdef"
    ]
    assert not any(set(alike[0].texts) & set(texts) for texts in spam)


def test_a_look_alike_among_the_chrome_is_no_content():
    label = np.int8([1, 0, 0, 0, 2, 0, 1, 0, 1])
    strange = np.array([0, 0, 1, 0, 0, 1, 0, 1, 0], bool)
    assert _amid_content(label, strange)[strange].tolist() == [True, False, False]
    assert not _amid_content(np.int8([0, 0]), np.array([True, True])).any()


def parts_of(blocks, label):
    """The parts of the written lines that a page's spam comes from."""
    spam = set(texts_of(blocks, label, Label.SPAM))
    return {part for part in range(OWN_PART + 1) if spam & set(written_lines(part))}


@pytest.mark.parametrize("part", [0, 5, OWN_PART])
def test_written_spam_comes_from_the_part_asked_for(stories, part):
    found = [parts_of(*with_spam(s.page, *labeled(s), str(seed), part)) for s in stories[:4] for seed in range(3)]
    assert set.union(*found) == {part}


def test_pages_of_a_crawl_get_the_spam_of_their_site_and_our_own_pages_ours(stories, labeled_folder):
    crawled = [GoldPage(s.page, s.site, "\n".join(s.content)) for s in stories]
    assert parts_of(*gather(iter(crawled))[:2]) <= {part_of(s.site) for s in stories}
    assert parts_of(*gather(read_labeled(labeled_folder))[:2]) == {OWN_PART}


def test_sentences_become_pages_that_say_so():
    document = Document(["", "警方提醒，网络赌博害人害己。", "渡口停航。"], [[], [], []], "own3")
    found = sentence_pages([document] * 12)
    sentences = [page_id for page_id in found.blocks.page_ids if is_sentence(page_id)]
    assert len(sentences) == 12
    assert not any(map(is_sentence, sentence_pages([document._replace(spans=[[], [(0, 2)], []])]).blocks.page_ids))
    assert all(map(is_copy, found.blocks.page_ids))
    assert set(texts_of(found.blocks, found.label, Label.CONTENT)) == set(document.texts[1:])
    assert parts_of(found.blocks, found.label) == {OWN_PART}


@pytest.mark.parametrize("seed", ["a", "b", "c", "d", "e", "f"])
def test_a_text_copy_holds_the_article_and_its_labels(stories, seed):
    story = stories[2]
    blocks, label = labeled(story)
    text, copied = as_text(blocks, label, seed)
    assert texts_of(text, copied, Label.CONTENT) == list(story.content)
    assert UNLABELED not in copied
    assert not text.from_dom.any()
    assert text.titles[0] in ("", blocks.titles[0])


def test_titles_headlines_and_paragraphs_are_shown_alone(stories):
    story = stories[2]
    lines = [line.text for line in single_lines(*labeled(story), "a")]
    assert lines[0] == labeled(story)[0].titles[0]
    assert 0 < len(set(lines[1:]) & set(story.content)) <= MAX_PARAGRAPHS


def test_a_text_copy_of_a_page_without_content():
    text, label = as_text(segment("<p>首页</p><p>打印</p>"), np.int8([1, 1]), "a")
    assert (text.texts(), label.tolist()) == (["首页", "打印"], [1, 1])


# ---------------------------------------------------------------- gather


def test_gather_makes_copies_that_say_so(labeled_folder):
    found = gather(read_labeled(labeled_folder))
    whole = [page_id for page_id in found.blocks.page_ids if "+text" not in page_id]
    assert whole[:6] == ["s6", "s6.0+spam", "s6.1+spam", "s7", "s7.0+spam", "s7.1+spam"]
    texts = [page_id for page_id in found.blocks.page_ids if page_id.startswith("s6") and page_id.endswith("+text")]
    assert texts[:2] == ["s6+text", "s6.0+text"]
    assert found.sites[:3] == ["beiling.example"] * 3
    assert set(np.unique(found.label)) == {UNLABELED, *map(int, Label)}


def test_gather_without_copies(labeled_folder, stories):
    found = gather(read_labeled(labeled_folder), augment=False)
    content = {text for story in stories for text in story.content}
    assert len(found.blocks.page_ids) == len(stories)
    assert set(texts_of(found.blocks, found.label, Label.CONTENT)) == content


def test_gather_tells_what_it_leaves_out(labeled_folder, stories):
    good, *_ = read_labeled(labeled_folder)
    changed = good._replace(page=good.page._replace(body="<p>全变了</p>"))
    unreadable = GoldPage(RawPage("坏页", b""), "x.example", "")
    seen, lost = [], []
    gather(iter([unreadable, changed]), on_page=seen.append, on_loss=lost.append)
    assert seen == ["坏页", "s6"]
    assert lost[0] == "坏页: the page is empty"
    assert lost[1].startswith("s6: no block any more for chrome label ")
    assert len(lost) == 1 + len(good.labels)


def test_plain_text_pages_get_no_copies():
    page = GoldPage(
        RawPage.from_text("首页\n河湾村通车，两岸往来方便了。", page_id="t"),
        "t.example",
        "河湾村通车，两岸往来方便了。",
    )
    found = gather(iter([page]))
    assert found.blocks.page_ids == ["t"]
    assert found.label.tolist() == [1, 0]


def test_nothing_gathered_is_an_error():
    with pytest.raises(InputError, match="no labelled pages"):
        gather(iter([]))


def test_concat_keeps_labels_beside_their_blocks(stories):
    parts = [gather(iter([GoldPage(s.page, s.site, "\n".join(s.content))]), augment=False) for s in stories[:2]]
    both = concat_labeled(parts)
    assert both.label.tolist() == [*parts[0].label.tolist(), *parts[1].label.tolist()]
    assert both.sites == ["linhe.example", "linhe.example"]


def test_text_pages_are_segmented_by_lines():
    blocks, label = label_gold(
        GoldPage(RawPage.from_text("版权所有\n河湾村今日通车，村民奔走相告。"), "t", "河湾村今日通车，村民奔走相告。")
    )
    assert blocks.texts() == segment_text("版权所有\n河湾村今日通车，村民奔走相告。").texts()
    assert label.tolist() == [1, 0]
