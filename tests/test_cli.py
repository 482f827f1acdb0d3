import gzip
import json
import os
import shutil
import subprocess
import sys

import pytest
from click.testing import CliRunner
from minecorpus import BRANDS
from minecorpus import records as mine_records

from detector.cli import main
from detector.errors import ModelError

TEXT = "渡口停航公告\n因水位上涨，渡口自今日起停航，恢复时间另行通知。\n"


@pytest.fixture
def run(tiny_folder, monkeypatch):
    """Run the command line in this process, with the tiny model as the default."""
    monkeypatch.setenv("DETECTOR_MODEL", str(tiny_folder))

    def invoke(*arguments, stdin=None):
        return CliRunner().invoke(main, [str(a) for a in arguments], input=stdin)

    return invoke


@pytest.fixture
def page(tmp_path, stories):
    path = tmp_path / "page.html"
    path.write_text(stories[0].html, "utf-8")
    return path


def records(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


# ---------------------------------------------------------------- predict: what goes in


def test_a_file(run, page, stories):
    result = run("predict", page)
    (record,) = records(result)
    assert (result.exit_code, result.stderr) == (0, "")
    assert (record["id"], record["verdict"], record["error"]) == (str(page), "keep", None)
    assert stories[0].content[1] in record["text"]


def test_a_folder_in_the_order_of_its_paths(run, tmp_path, stories):
    (tmp_path / "b").mkdir()
    (tmp_path / "c.html").write_text(stories[0].html, "utf-8")
    (tmp_path / "b" / "a.txt").write_text(TEXT, "utf-8")
    (tmp_path / "a.htm.gz").write_bytes(gzip.compress(stories[1].html.encode("gb18030")))
    (tmp_path / "notes.docx").write_bytes(b"PK")
    found = records(run("predict", tmp_path))
    assert [os.path.relpath(record["id"], tmp_path) for record in found] == ["a.htm.gz", "b/a.txt", "c.html"]
    assert found[0]["encoding"]["name"] == "gb18030"


@pytest.mark.parametrize(
    ("stdin", "arguments", "tag"),
    [
        ("<html><p>河湾村通车了。</p>", [], "p"),
        ("河湾村通车了。", [], "line"),
        ('{"text": "河湾村通车了。"}', [], "line"),
        ("河湾村<通车>了。", ["--input-format", "text"], "line"),
    ],
)
def test_standard_input(run, stdin, arguments, tag):
    command = [sys.executable, "-m", "detector", "predict", "-", *arguments]
    result = subprocess.run(command, input=stdin.encode(), capture_output=True, check=True)
    assert json.loads(result.stdout)["blocks"][0]["tag"] == tag
    assert result.stderr == b""


def test_records(run, tmp_path):
    rows = [
        {"id": 7, "url": "http://www.hewan.example/7", "html": "<h1>河湾村</h1>"},
        {"text": "河湾村通车了。"},
        {"id": "", "content": "河湾村通车了。"},
        {"id": "x", "raw_content": "河湾村通车了。", "text": None},
    ]
    path = tmp_path / "pages.jsonl"
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    found = records(run("predict", path))
    assert [record["id"] for record in found] == ["7", f"{path}:2", f"{path}:3", "x"]
    assert (found[0]["site"], found[0]["blocks"][0]["tag"]) == ("hewan.example", "h1")


def test_records_with_names_of_their_own(run, tmp_path):
    path = tmp_path / "pages.jsonl"
    path.write_text('{"key": "k", "link": "http://a.example/", "body": "河湾村通车了。", "text": "别的"}\n', "utf-8")
    options = ("--id-field", "key", "--url-field", "link", "--text-field", "body")
    (record,) = records(run("predict", path, *options))
    assert (record["id"], record["url"], record["blocks"][0]["text"]) == ("k", "http://a.example/", "河湾村通车了。")


def test_own_cues_are_read(run, page, tmp_path):
    cues = tmp_path / "gambling.tsv"
    cues.write_text("阿喏哩\t2\n", "utf-8")
    assert run("predict", page, "--cues", cues).exit_code == 0


# ---------------------------------------------------------------- policies


def test_a_policy_tells_how_much_is_taken_for_spam(run, page, tiny_folder, tmp_path):
    folder = shutil.copytree(tiny_folder, tmp_path / "other_v1")
    card = json.loads((folder / "card.json").read_text("utf-8"))
    card["policies"] = {"strict": [0.0, 0.0], "balanced": [0.5, 0.5], "lenient": [1.1, 1.1]}
    (folder / "card.json").write_text(json.dumps(card), "utf-8")
    labels = {}
    for policy in ("strict", "lenient"):
        (record,) = records(run("predict", page, "--model", folder, "--policy", policy))
        labels[policy] = [block["label"] for block in record["blocks"]]
    assert set(labels["strict"]) == {"spam"}
    assert "spam" not in labels["lenient"]


def test_balanced_is_the_policy_unless_another_is_asked_for(run, page):
    assert run("predict", page).stdout == run("predict", page, "--policy", "balanced").stdout


def test_an_unknown_policy_is_told_with_those_there_are(run, page):
    result = run("predict", page, "--policy", "paranoid")
    assert result.exit_code == 2
    assert "'strict', 'balanced', 'lenient'" in result.stderr


# ---------------------------------------------------------------- sites


@pytest.fixture
def crawl(tmp_path, stories):
    """Records of two sites, the pages of one after those of the other, and a page that says no URL."""
    path = tmp_path / "crawl.jsonl"
    sites = ["http://www.a-daily.cn/", "http://b-news.com.cn/", None]
    rows = [{"html": stories[i].html, "url": sites[i // 3] and f"{sites[i // 3]}{i}.html"} for i in range(7)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def test_repeated_blocks_are_counted_and_used(run, crawl, tmp_path):
    table = tmp_path / "new" / "sites.parquet"
    built = run("sites", "build", crawl, "-o", table)
    assert built.stdout.startswith("6 pages of 2 sites, ")
    assert (built.exit_code, built.stderr) == (3, f"detector: left out: {crawl}:7: no URL tells its site [no_site]\n")
    plain, helped = (records(run("predict", crawl, *more)) for more in ([], ["--sites", table]))
    scores = [[[block["scores"] for block in page["blocks"]] for page in found] for found in (plain, helped)]
    assert scores[0][:6] != scores[1][:6]
    assert scores[0][6] == scores[1][6]  # the page without a URL is judged as before


def test_a_table_that_is_none_is_an_error_of_usage(run, page):
    result = run("predict", page, "--sites", page)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "not a table of repeated blocks" in result.stderr


# ---------------------------------------------------------------- predict: what comes out


def test_blocks_can_be_left_out(run, page):
    with_blocks, without = records(run("predict", page))[0], records(run("predict", page, "--no-blocks"))[0]
    assert with_blocks.pop("blocks")
    assert without == with_blocks


def test_text_is_content_only(run, page, stories):
    result = run("predict", page, "--format", "text")
    assert stories[0].content[2] in result.stdout.splitlines()
    assert "版权所有" not in result.stdout


def test_html_is_one_page(run, page):
    result = run("predict", page, page, "--format", "html")
    assert result.stdout.startswith("<!doctype html>")
    assert result.stdout.count("<h2>") == 2


def test_the_same_input_gives_the_same_output(run, page):
    assert run("predict", page).stdout_bytes == run("predict", page).stdout_bytes


# ---------------------------------------------------------------- predict: what goes wrong


def test_a_page_that_fails_is_a_line_and_the_run_goes_on(run, page, tmp_path):
    (tmp_path / "empty.html").write_bytes(b"")
    result = run("predict", tmp_path / "empty.html", tmp_path / "gone.html", page)
    assert [record["error"] and record["error"]["code"] for record in records(result)] == ["empty", "missing", None]
    assert result.exit_code == 3
    assert result.stderr.splitlines() == [
        f"detector: {tmp_path}/empty.html: the page is empty [empty]",
        f"detector: {tmp_path}/gone.html: No such file or directory [missing]",
        "detector: 2 of 3 pages could not be read",
    ]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("{", "bad_json"),
        ("[1]", "bad_record"),
        ('{"id": "a"}', "no_field"),
        ('{"text": ""}', "empty"),
        ('{"html": "<p>"}', "no_text"),
    ],
)
def test_a_bad_record_is_named(run, tmp_path, body, code):
    (tmp_path / "pages.jsonl").write_text('{"text": "河湾村"}\n' + body, "utf-8")
    result = run("predict", tmp_path / "pages.jsonl")
    assert [record["error"] and record["error"]["code"] for record in records(result)] == [None, code]
    assert result.exit_code == 3
    assert f"[{code}]" in result.stderr


@pytest.mark.parametrize("field", ["id", "url"])
def test_half_a_character_in_a_record_does_not_end_the_run(run, tmp_path, field):
    rows = ({field: "a\ud800", "text": "河湾村"}, {"text": "渡口"})
    (tmp_path / "pages.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    result = run("predict", tmp_path / "pages.jsonl")
    assert len(result.stdout.splitlines()) == 2
    assert result.exit_code in (0, 3)


def test_a_file_name_in_another_encoding_does_not_end_the_run(run, tmp_path, stories):
    path = os.path.join(os.fsencode(tmp_path), "新闻.html".encode("gb18030"))
    with open(path, "wb") as stream:
        stream.write(stories[0].html.encode())
    result = run("predict", tmp_path)
    assert (len(result.stdout.splitlines()), result.exit_code) == (1, 0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["predict"], "Missing argument"),
        (
            ["predict", "-", "--model", "nowhere_v9"],
            "Error: no model 'nowhere_v9'; there is news_v1 (looked for card.json in",
        ),
        (["predict", "-", "--format", "xml"], "Invalid value for '--format'"),
        (["predict", "-", "--cues", "nowhere.tsv"], "nowhere.tsv: cannot be read"),
        (["predikt"], "No such command"),
        (["train", "nowhere", "-o", "x"], "does not exist"),
        (["train", "."], "Missing option '-o'"),
        (["evaluate"], "Missing argument"),
        (["labels", "rows", "nowhere", ".", "-o", "x"], "does not exist"),
        (["lexicon", "test"], "Missing argument"),
        (["lexicon", "test", "渡口", "--cues", "nowhere.tsv"], "nowhere.tsv: cannot be read"),
        (["lexicon", "mine"], "Missing argument"),
        (["lexicon", "mine", "-", "-o", "brand.tsv"], "-o goes with --accept, to be asked, or --yes"),
        (["lexicon", "mine", "x", "--yes"], "-o goes with --accept, to be asked, or --yes"),
        (["lexicon", "mine", "-", "-o", "nowhere/brand.tsv", "--yes"], "nowhere: no such folder"),
        (["lexicon", "mine", "-", "--min-pages", "0"], "0 is not in the range x>=1"),
        (["lexicon", "mine", "-", "-o", "brand.tsv", "--accept"], "--accept asks on standard input"),
    ],
)
def test_wrong_usage(run, arguments, words):
    result = run(*arguments, stdin="河湾村")
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_a_broken_model_is_one_line(run, page, tmp_path):
    (tmp_path / "bad_v1").mkdir()
    (tmp_path / "bad_v1" / "card.json").write_text("{}", "utf-8")
    result = run("predict", page, "--model", tmp_path / "bad_v1")
    assert result.exit_code == 2
    assert result.stderr.startswith(f"Error: {tmp_path}/bad_v1/card.json: not a model card")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("阿喏哩\t多\n", "own.tsv:1: the weight '多' is not a number"),
        pytest.param("\t1\n", "own.tsv:1"),
    ],
)
def test_a_wrong_cue_file_is_named(run, page, tmp_path, table, words):
    (tmp_path / "own.tsv").write_text(table, "utf-8")
    result = run("predict", page, "--cues", tmp_path / "own.tsv")
    assert result.exit_code == 2
    assert words in result.stderr


def test_a_bug_keeps_its_traceback(run, page, monkeypatch):
    def broken(*_):
        raise RuntimeError("此处有错")

    monkeypatch.setattr("detector.model.load_model", broken)
    result = run("predict", page)
    assert isinstance(result.exception, RuntimeError)


def test_an_expected_error_is_a_click_error(monkeypatch, run, page):
    def broken(*_):
        raise ModelError("模型坏了")

    monkeypatch.setattr("detector.model.load_model", broken)
    result = run("predict", page)
    assert (result.exit_code, result.stderr) == (2, "Error: 模型坏了\n")


# ---------------------------------------------------------------- labels, train, evaluate


@pytest.fixture(scope="module")
def rows_folder(gold_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli") / "rows"
    arguments = ["labels", "rows", gold_folder / "pages", gold_folder / "gold", "-o", folder]
    result = CliRunner().invoke(main, [*map(str, arguments), "--index", str(gold_folder / "index.jsonl")])
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("77 pages, ")
    assert result.stdout.endswith(f" blocks of 4 sites → {folder}\n")
    return folder


def test_labels_rows_writes_rows_and_words(rows_folder):
    assert sorted(path.name for path in rows_folder.iterdir()) == ["rows.npz", "words.npz"]


def test_labels_rows_names_a_page_that_it_left_out(run, tmp_path):
    (tmp_path / "a.html").write_bytes(b"")
    (tmp_path / "a.txt").write_text("河湾村", "utf-8")
    result = run("labels", "rows", tmp_path, tmp_path, "-o", tmp_path / "rows")
    assert result.exit_code == 2
    assert result.stderr.splitlines() == ["detector: left out: a: the page is empty", "Error: no labelled pages found"]


@pytest.mark.usefixtures("serial")
def test_train_writes_a_model_that_predicts(run, rows_folder, tmp_path, page):
    trained = run("train", rows_folder, "-o", tmp_path / "my_v1", "--compare", "mlp")
    assert (trained.exit_code, trained.exception) == (0, None)
    assert trained.stdout.startswith("| classifier | page_f1 |")
    assert "cross-validating mlp over 4 sites" in trained.stderr
    assert (tmp_path / "my_v1" / "README.md").read_text("utf-8").startswith("# my_v1\n")
    assert run("predict", page, "--model", tmp_path / "my_v1").exit_code == 0


@pytest.mark.usefixtures("serial")
def test_train_from_label_tables_is_reproducible(run, labeled_folder, tmp_path):
    folders = [tmp_path / name / "same_v1" for name in ("a", "b")]
    codes = [
        run("train", labeled_folder, "-o", folder, "--compare", "mlp", "--seed", "3").exit_code for folder in folders
    ]
    cards = [json.loads((folder / "card.json").read_text("utf-8")) for folder in folders]
    assert codes == [0, 0]
    assert cards[0]["scores"] == cards[1]["scores"]
    assert cards[0]["classifier"]["seed"] == 3


@pytest.mark.usefixtures("serial")
def test_train_with_an_unknown_classifier(run, rows_folder, tmp_path):
    result = run("train", rows_folder, "-o", tmp_path / "my_v1", "--compare", "mlp,nonsense")
    assert result.exit_code == 2
    assert "nonsense" in result.stderr


def test_train_on_nothing(run, tmp_path):
    result = run("train", tmp_path, "-o", tmp_path / "my_v1")
    assert result.exit_code == 2
    assert f"no rows.npz and no label tables below {tmp_path}" in result.stderr


def test_train_on_one_site(run, labeled_folder, tmp_path):
    result = run("train", labeled_folder / "haibin.example", "-o", tmp_path / "my_v1")
    assert result.exit_code == 2
    assert "at least two sites" in result.stderr


def test_a_wrong_label_is_named_by_file_and_line(run, tmp_path):
    (tmp_path / "a.html").write_text("<p>河湾村</p>", "utf-8")
    (tmp_path / "a.tsv").write_text("0000000000000001\t0\tadvert\t周\t\t河湾村\n", "utf-8")
    result = run("evaluate", tmp_path)
    assert result.exit_code == 2
    assert f"{tmp_path}/a.tsv:1: no label 'advert'" in result.stderr


@pytest.mark.usefixtures("serial")
def test_evaluate_across_sites(run, rows_folder):
    result = run("evaluate", rows_folder)
    assert (result.exit_code, result.exception) == (0, None)
    assert result.stdout.startswith("## held out sites: 8 pages with content, ")


def test_evaluate_a_model_with_a_report(run, labeled_folder, tiny_folder, tmp_path):
    result = run("evaluate", labeled_folder, "--model", tiny_folder, "--report", tmp_path / "report")
    assert (result.exit_code, result.exception) == (0, None)
    assert result.stdout.startswith("## sites trained on: 8 pages with content, ")
    names = {path.name for path in (tmp_path / "report").iterdir()}
    assert names - {"views"} == {"report.html", "worst_pages.tsv"}
    assert "Which features matter" in (tmp_path / "report" / "report.html").read_text("utf-8")


def test_evaluate_across_sites_with_a_report(run, labeled_folder, tmp_path):
    result = run("evaluate", labeled_folder, "--report", tmp_path / "report")
    assert (result.exit_code, result.exception) == (0, None)
    report = (tmp_path / "report" / "report.html").read_text("utf-8")
    assert "held out sites" in report
    assert "Which features matter" in report


# ---------------------------------------------------------------- lexicon test

INJECTED = "记者从盛博汇娱乐官网登录入口委宣传部获悉，全年新建小学三所。"
MARKED = "记者从⟦brand:盛博汇娱乐官网登录入口⟧委宣传部获悉，全年新建小学三所。"


@pytest.fixture
def lexicon_command():
    """Run a command of `lexicon` with the packaged model."""

    def invoke(*arguments, **settings):
        return CliRunner().invoke(main, ["lexicon", *map(str, arguments)], **settings)

    return invoke


def test_lexicon_test_shows_what_fires(lexicon_command):
    result = lexicon_command("test", INJECTED, "渡口停航。")
    lines = result.stdout.splitlines()
    assert (result.exit_code, result.stderr) == (0, "")
    assert lines[0] == MARKED
    assert lines[1].split()[:2] == ["injected", "3-14"]
    assert any(line.split() == ["cue", "10-14", "1", "tail", "登录入口"] for line in lines)
    assert lines[-3:-1] == ["", "渡口停航。"]
    assert lines[-1].startswith("  nothing injected (taken from 0.")


def test_lexicon_test_reads_lines_and_writes_json(lexicon_command):
    result = lexicon_command("test", "-", "--format", "json", input=f"{INJECTED}\n\n渡口停航。\n")
    first, second = records(result)
    assert (first["text"], second["text"], second["spans"]) == (INJECTED, "渡口停航。", [])
    assert [span["text"] for span in first["spans"]] == ["盛博汇娱乐官网登录入口"]
    assert {"start": 10, "end": 14, "term": "登录入口", "group": "tail", "weight": 1.0} in first["cues"]


def test_lexicon_test_survives_bytes_that_are_no_text(lexicon_command):
    result = lexicon_command("test", "-", "--format", "json", input=b"\xff\xfe\n")
    assert (result.exit_code, len(records(result))) == (0, 1)


def test_lexicon_test_takes_own_cues(lexicon_command, tmp_path):
    (tmp_path / "brand.tsv").write_text("渡口\t2\n", "utf-8")
    (record,) = records(lexicon_command("test", "渡口停航。", "--cues", tmp_path / "brand.tsv", "--format", "json"))
    assert record["cues"] == [{"start": 0, "end": 2, "term": "渡口", "group": "brand", "weight": 2.0}]


@pytest.mark.parametrize(("environment", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_lexicon_test_is_coloured_on_a_terminal_unless_forbidden(lexicon_command, environment, coloured):
    result = lexicon_command("test", INJECTED, color=True, env={"NO_COLOR": "", **environment})
    assert ("\x1b[31m" in result.stdout) == coloured


# ---------------------------------------------------------------- lexicon mine


@pytest.fixture
def mine_corpus(tmp_path):
    path = tmp_path / "corpus.jsonl"
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in mine_records()), "utf-8")
    return path


def terms(path):
    return [line.split("\t")[0] for line in path.read_text("utf-8").splitlines()]


def test_lexicon_mine_prints_a_table(lexicon_command, mine_corpus):
    result = lexicon_command("mine", mine_corpus)
    head, *rows = result.stdout.splitlines()
    assert (result.exit_code, result.stderr) == (0, "")
    assert head.split() == ["rank", "kind", "term", "score", "pages", "sites", "example"]
    assert {tuple(row.split()[1:3]) for row in rows} == {*(("brand", b) for b in BRANDS), ("tail", "优享专线")}
    assert all(row.split()[2] in row.split()[6] for row in rows)


def test_lexicon_mine_reads_standard_input_and_writes_jsonl(mine_corpus):
    command = [sys.executable, "-m", "detector", "lexicon", "mine", "-", "--format", "jsonl", "--top", "2"]
    result = subprocess.run(command, input=mine_corpus.read_bytes(), capture_output=True, check=True)
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert [record["rank"] for record in found] == [1, 2]
    assert {record["term"] for record in found} <= {*BRANDS, "优享专线"}


def test_lexicon_mine_shows_known_terms_when_asked(lexicon_command, mine_corpus):
    found = records(lexicon_command("mine", mine_corpus, "--format", "jsonl", "--known"))
    assert {record["term"] for record in found if record["known"]} == {"必威"}


def test_lexicon_mine_asks_and_appends(lexicon_command, mine_corpus, tmp_path):
    cues = tmp_path / "brand.tsv"
    cues.write_text("# of our own\n阿喏哩\t2", "utf-8")
    result = lexicon_command("mine", mine_corpus, "-o", cues, "--accept", input="y\nn\nx\ny\n")
    assert result.exit_code == 0
    assert "add? (y, n, q) [n]: " in result.stderr
    assert "is not one of 'y', 'n', 'q'" in result.stderr
    assert result.stderr.endswith(f"detector: 2 brands added to {cues}\n")
    before, own, *added = cues.read_text("utf-8").splitlines()
    assert (before, own) == ("# of our own", "阿喏哩\t2")
    assert {line.split("\t")[0] for line in added} < BRANDS
    assert all(line.split("\t")[1:] == ["2", line.split("\t")[2]] and "mined: " in line for line in added)


@pytest.mark.parametrize("answers", ["y\nq\n", "y\n"])
def test_lexicon_mine_keeps_what_was_accepted_before_the_end(lexicon_command, mine_corpus, tmp_path, answers):
    result = lexicon_command("mine", mine_corpus, "-o", tmp_path / "brand.tsv", "--accept", input=answers)
    assert result.exit_code == 0
    assert len(terms(tmp_path / "brand.tsv")) == 1


def test_lexicon_mine_takes_all_and_never_twice(lexicon_command, mine_corpus, tmp_path):
    cues = tmp_path / "brand.tsv"
    assert lexicon_command("mine", mine_corpus, "-o", cues, "--yes").exit_code == 0
    assert set(terms(cues)) == BRANDS
    again = lexicon_command("mine", mine_corpus, "-o", cues, "--yes", "--known")
    assert again.exit_code == 0
    assert len(terms(cues)) == len(set(terms(cues)))
    assert BRANDS <= set(terms(cues)) <= {*BRANDS, "必威"}


def test_lexicon_mine_puts_tails_into_a_file_of_tails(lexicon_command, mine_corpus, tmp_path):
    assert lexicon_command("mine", mine_corpus, "-o", tmp_path / "tail.tsv", "--yes").exit_code == 0
    assert (tmp_path / "tail.tsv").read_text("utf-8").startswith("优享专线\t0.5\tmined: ")


def test_what_was_mined_is_taken_by_predict(lexicon_command, mine_corpus, tmp_path):
    lexicon_command("mine", mine_corpus, "-o", tmp_path / "brand.tsv", "--yes")
    result = CliRunner().invoke(main, ["predict", str(mine_corpus), "--cues", str(tmp_path / "brand.tsv")])
    assert (result.exit_code, len(records(result))) == (0, 30)


def test_lexicon_mine_names_pages_that_fail(lexicon_command, mine_corpus, tmp_path):
    result = lexicon_command("mine", mine_corpus, tmp_path / "gone.html")
    assert result.exit_code == 3
    assert len(result.stdout.splitlines()) > 1
    assert result.stderr.splitlines() == [
        f"detector: {tmp_path}/gone.html: No such file or directory [missing]",
        "detector: 1 of 31 pages could not be read",
    ]
