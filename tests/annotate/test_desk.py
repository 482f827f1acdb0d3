import numpy as np
import pytest

from detector.annotate.desk import SPREAD, Desk, Spot, lay_out, least_certain
from detector.answers import page_key, read_log
from detector.blocks import RawPage
from detector.errors import InputError, LabelError
from detector.labeled import read_labeled, read_tables

FOOTER = "版权所有 临河日报社 ICP备00000000号"


def spot_of(desk, text, page=0):
    sheet = list(desk.sheets.values())[page]
    return Spot(sheet.key, sheet.texts.index(text))


def labels_of(folder):
    return {(page.site, row.text): row.label for page in read_labeled(folder) for row in page.labels}


# ---------------------------------------------------------------- laying out


def test_pages_lie_in_their_order_and_know_their_site(sheets, stories):
    assert [sheet.site for sheet in sheets] == [story.site for story in stories]
    assert [sheet.key for sheet in sheets] == [page_key(story.html) for story in stories]


def test_what_cannot_be_shown_is_told(tiny_model, lexicon, tmp_path, stories):
    pages = [stories[0].page, RawPage("again", stories[0].html), RawPage("bad", b"", problem=("missing", "not there")),
             RawPage("blank", "<p></p>")]  # fmt: skip
    losses = []
    found = list(lay_out(pages, tmp_path, tiny_model, lexicon, losses.append))
    assert len(found) == 1
    assert losses == [
        "again: the same page as s0",
        "bad: not there [missing]",
        "blank: the page shows no text [no_text]",
    ]


def test_a_page_of_the_folder_keeps_its_site_its_url_and_its_labels(labeled_folder, stories, tiny_model, lexicon):
    bare = RawPage("somewhere/else.html", stories[0].html.encode())
    (sheet,) = lay_out([bare], labeled_folder, tiny_model, lexicon)
    assert (sheet.site, sheet.verdict.page.url) == (stories[0].site, stories[0].page.url)
    assert {row.label for row in sheet.given.values()} == {"content", "chrome"}


def test_a_file_without_url_has_its_folder_for_a_site(tiny_model, lexicon, tmp_path):
    path = tmp_path / "hewan.example" / "a.html"
    path.parent.mkdir()
    path.write_text("<p>河湾村通车了。</p>", "utf-8")
    pages = [RawPage(str(path), path.read_bytes()), RawPage("records.jsonl:1", "<p>渡口停航。</p>")]
    assert [sheet.site for sheet in lay_out(pages, tmp_path, tiny_model, lexicon)] == ["hewan.example", "unknown"]


def test_nothing_to_show_is_an_error(folder):
    with pytest.raises(InputError, match="no page"):
        Desk(folder, "anna", [], "m")


# ---------------------------------------------------------------- what comes next


def with_proba(sheet, p, **more):
    """A sheet whose blocks are content with these probabilities."""
    n = len(sheet.places)
    proba = np.column_stack([np.full(n, 0.99), np.full(n, 0.01), np.zeros(n)]).astype(np.float32)
    proba[: len(p), 0], proba[: len(p), 1] = p, 1 - np.array(p)
    return sheet._replace(verdict=sheet.verdict._replace(proba=proba), **more)


def test_the_least_certain_block_comes_first(sheets):
    sheet = with_proba(sheets[0], [0.9, 0.6, 0.51, 0.8])
    assert least_certain([sheet], spread=0)[:4] == [sheet.places[i] for i in (2, 1, 3, 0)]


def test_other_sites_come_before_the_next_block_of_the_same_one(sheets):
    first = with_proba(sheets[0], [0.50, 0.505, 0.51])
    other = with_proba(sheets[2], [0.512])
    assert least_certain([first, other], spread=0)[:3] == first.places[:3]
    assert least_certain([first, other], SPREAD)[:2] == [first.places[0], other.places[0]]


def test_a_repeated_block_is_asked_once_where_it_is_least_certain(sheets):
    first, second = sheets[0], sheets[1]  # of one site, with the same footer
    i, j = first.texts.index(FOOTER), second.texts.index(FOOTER)
    order = least_certain([with_proba(first, [0.9] * (i + 1)), with_proba(second, [0.9] * j + [0.5])])
    assert order[0] == second.places[j]
    assert first.places[i] not in order


def test_what_a_table_labels_is_not_asked(labeled_folder, stories, tiny_model, lexicon):
    sheets = lay_out([stories[0].page], labeled_folder, tiny_model, lexicon)
    assert least_certain(sheets) == []


def test_the_queue_goes_on_behind_a_block_and_begins_again(desk):
    first = desk.next("uncertain")
    second = desk.next("uncertain", first)
    assert first != second
    desk.answer(second, "chrome", [])
    assert desk.next("uncertain", first) not in (first, second)
    last = desk.spots[desk.queue("uncertain")[-1]]
    assert desk.next("uncertain", last) == first


def test_a_queue_ends(desk):
    while spot := desk.next("uncertain"):
        desk.answer(spot, "chrome", [])
    assert desk.left("uncertain") == 0


def test_suspects_wait_until_they_were_looked_at_again(folder, sheets):
    place = sheets[0].places[0]
    desk = Desk(folder, "anna", sheets, "m", lambda: [(place, "rather content")])
    assert desk.waiting()["suspects"] is None
    spot = Spot(sheets[0].key, 0)
    desk.answer(spot, "chrome", [], queue="uncertain")
    assert desk.next("suspects") == spot
    assert desk.page(sheets[0].key, "suspects")["blocks"][0]["doubt"] == "rather content"
    desk.answer(spot, "chrome", [], queue="suspects")
    assert desk.next("suspects") is None


def test_two_annotators_meet_where_they_disagree(folder, sheets):
    anna, bo = Desk(folder, "anna", sheets, "m"), Desk(folder, "bo", sheets, "m")
    spot = spot_of(anna, FOOTER)
    anna.answer(spot, "chrome", [])
    assert bo.page(spot.page)["blocks"][spot.block]["mine"] is None  # everybody labels for himself
    bo.answer(spot, "spam", [])
    assert anna.next("disagreements") == spot
    said = anna.page(spot.page, "disagreements")["blocks"][spot.block]["said"]
    assert said == [{"by": "anna", "label": "chrome"}, {"by": "bo", "label": "spam"}]
    assert labels_of(folder) == {}  # as many say one thing as the other
    anna.answer(spot, "spam", [], queue="disagreements")
    assert anna.next("disagreements") is None
    assert list(labels_of(folder).values()) == ["spam"]


# ---------------------------------------------------------------- answering


def test_an_answer_says_who_when_what_and_by_which_model(desk, folder):
    spot = spot_of(desk, FOOTER)
    desk.answer(spot, "spam", [(0, 4, "brand")], queue="uncertain")
    (answer,) = read_log(folder / "answers" / "anna.jsonl")
    assert (answer.by, answer.label, answer.spans, answer.text) == ("anna", "spam", ((0, 4, "brand"),), FOOTER)
    assert (answer.model, answer.queue, answer.site) == ("tiny_v1 0", "uncertain", "linhe.example")
    assert answer.guess[0] == "chrome"
    assert answer.at.startswith("20")


def test_the_page_is_kept_before_its_first_answer(desk, folder, stories):
    desk.answer(spot_of(desk, FOOTER), "chrome", [])
    (page,) = read_labeled(folder)
    assert (page.page.body, page.site, page.page.url) == (
        stories[0].html.encode(),
        "linhe.example",
        stories[0].page.url,
    )
    assert [(row.label, row.annotator) for row in page.labels] == [("chrome", "anna")]


def test_a_repeated_block_is_labelled_everywhere_at_once_and_undone_at_once(desk, folder):
    desk.answer(spot_of(desk, FOOTER), "chrome", [], everywhere=True)
    assert [len(page.labels) for page in read_labeled(folder)] == [1, 1]
    desk.undo()
    assert labels_of(folder) == {}


def test_what_is_undone_is_the_last_answer_also_after_a_restart(desk, folder, sheets):
    spot = spot_of(desk, FOOTER)
    desk.answer(spot, "spam", [])
    desk.answer(spot, "content", [])
    again = Desk(folder, "anna", sheets, "m")
    assert again.undo().label == "content"
    assert labels_of(folder)["linhe.example", FOOTER] == "spam"
    assert desk.undo().label == "spam"  # the first desk sees what the second wrote
    assert desk.undo() is None


@pytest.mark.parametrize(
    ("label", "spans", "words"),
    [
        ("advert", [], "no label 'advert'"),
        ("spam", [(0, 99, "brand")], "0:99 is no stretch"),
        ("spam", [(3, 3, "brand")], "no stretch"),
        ("spam", [(-1, 3, "brand")], "no stretch"),
        ("spam", [(0, 3, "brand"), (2, 4, "advert")], "overlaps"),
        ("spam", [(0, 3, "<b>")], "no kind"),
    ],
)
def test_what_is_no_answer_is_refused_and_nothing_is_written(desk, folder, label, spans, words):
    with pytest.raises(LabelError, match=words):
        desk.answer(spot_of(desk, FOOTER), label, spans)
    assert not folder.exists()


@pytest.mark.parametrize("spot", [Spot("nowhere", 0), Spot("", -1)])
def test_a_block_that_is_not_there_is_refused(desk, spot):
    with pytest.raises(LabelError, match="no block"):
        desk.answer(spot, "spam", [])


def test_nothing_is_written_where_a_link_leads_out_of_the_folder(desk, folder, tmp_path):
    (tmp_path / "outside").mkdir()
    (folder / "pages").mkdir(parents=True)
    (folder / "pages" / "linhe.example").symlink_to(tmp_path / "outside")
    with pytest.raises(LabelError, match="leads out"):
        desk.answer(spot_of(desk, FOOTER), "spam", [])
    assert list((tmp_path / "outside").iterdir()) == []
    assert not (folder / "answers").exists()


def test_a_log_that_leads_out_of_the_folder_is_refused(folder, tmp_path, sheets):
    folder.mkdir()
    (folder / "answers").symlink_to(tmp_path)
    with pytest.raises(InputError, match="leads out"):
        Desk(folder, "anna", sheets, "m")


def test_names_from_outside_make_no_way_out(folder, tiny_model, lexicon, tmp_path):
    page = RawPage("../../../etc/x", "<p>河湾村通车了。</p>")
    (sheet,) = lay_out([page], folder, tiny_model, lexicon)
    desk = Desk(folder, "anna", [sheet._replace(site="../../out")], "m")
    desk.answer(Spot(sheet.key, 0), "content", [])
    written = [path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*") if path.is_file()]
    assert set(written) == {"labeled"}


def test_text_pages_are_kept_as_text(folder, tiny_model, lexicon):
    page = RawPage.from_text("渡口停航公告\n因水位上涨，渡口停航。\n", page_id="t", title="公告\t一")
    desk = Desk(folder, "anna", lay_out([page], folder, tiny_model, lexicon), "m")
    desk.answer(desk.next("uncertain"), "content", [])
    (kept,) = read_tables(folder)
    assert (kept.page.media_type, kept.page.title) == ("text/plain", "公告 一")


def test_the_overview_counts(desk):
    desk.answer(spot_of(desk, FOOTER), "chrome", [], everywhere=True)
    found = desk.overview()
    assert [page["answered"] for page in found["pages"]] == [1, 1, 0, 0, 0, 0, 0, 0]
    assert found["queues"] == {"uncertain": len(desk.queue("uncertain")) - 1, "suspects": None, "disagreements": 0}


def test_the_margin_is_that_of_the_two_likeliest(sheets):
    proba = np.float32([[0.5, 0.2, 0.3]])
    sheet = sheets[0]._replace(verdict=sheets[0].verdict._replace(proba=proba))
    assert sheet.margins == pytest.approx([0.2])
