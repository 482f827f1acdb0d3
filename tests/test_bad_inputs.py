"""Eighty kinds of bad input: no crash, no endless work, nothing lost without a word.

Pages are judged as `filter` judges them, in a guarded child with its own limits: a crash, a hang or too much memory is
an outcome like any other, and none that is allowed. What is wrong with containers, processes, models and other files is
tested where it is handled; `ELSEWHERE` says where.
"""

from __future__ import annotations

import ast
from typing import Any

import pytest
from badinputs import FOUND, Bad, bad_pages
from conftest import ROOT

from detector.blocks import RawPage
from detector.judged import Judging

ELSEWHERE = {
    63: "warc: a_cut_archive_is_noticed, the_next_record_is_found_behind_damage, a_wrong_length_costs_only_its_record",
    64: "warc: a_body_that_cannot_be_decoded_is_there_as_it_stands, chunks_are_joined, a_body_that_was_decoded_before_it_was_stored",
    65: "warc: bodies_are_decoded_and_bounded, a_record_that_unpacks_to_too_much; readers: a_bomb_of_zstd_is_not_unpacked_at_once",
    66: "warc: other_versions_of_archives, an_archive_of_the_older_kind_is_told, records_packed_as_one_member, a_dictionary_of_zstd",
    67: "warc: which_records_are_pages, a_head_of_many_megabytes_is_no_record",
    68: "readers: bad_record_does_not_stop_the_rest, odd_records, blank_lines_and_byte_order_marks_are_no_records, "
        "record_that_is_too_large_does_not_stop_the_rest",
    69: "readers: members_of_gzip_follow_one_another_and_what_is_behind_them_is_told, cut_zst_is_unreadable, broken_gzip_is_unreadable",
    70: "readers: odd_columns_of_parquet, parquet_without_its_end_is_unreadable, broken_parquet_is_unreadable",
    71: "readers: odd_names_of_files, what_is_no_file_to_be_read, a_file_that_goes_away_while_a_folder_is_read, "
        "missing_file_does_not_stop_the_rest",
    72: "guard: a_bad_item_is_told_and_the_others_are_answered, noise_of_a_page_does_not_reach_standard_output",
    73: "filter: killed_at_any_moment_it_loses_and_doubles_nothing, a_crash_costs_the_page_alone",
    74: "ending: a_command_that_is_stopped_says_so, nobody_takes_the_output; filter: a_run_that_is_told_to_stop_ends_in_order",
    75: "filter: a_full_disk_is_told_and_when_there_is_room_again_the_run_goes_on, where_nothing_can_be_written_it_is_told, "
        "two_runs_do_not_write_to_one_folder",
    76: "model: a_damaged_file_is_named, a_pickle_under_another_name_is_not_run, a_member_that_leads_out_of_the_folder_is_not_written, "
        "an_archive_that_unpacks_to_too_much, weights_that_are_no_numbers_are_refused, a_model_for_other_features_says_which, "
        "scikit_learns_file_with_a_foreign_type_is_refused, scikit_learns_file_of_another_version_is_refused",
    77: "site_index: a_file_that_is_no_table_is_refused_by_name; repeats: an_unknown_site_has_no_other_pages",
    78: "settings: what_is_wrong_is_told_with_the_way_out; baseline: a_damaged_baseline_is_told_with_its_line, both_sides_of_a_merge_may_stay",
    79: "interchange: tasks_that_are_no_answers_are_named, offsets_that_a_browser_counted_are_told_by_the_quotation; "
        "labeled: a_changed_segmentation_reports_what_was_lost, where_annotators_disagree_there_is_no_label",
    80: "annotate/app: another_name_that_leads_here_is_refused, another_site_is_refused, a_body_without_end_is_refused; "
        "annotate/page: a_hostile_page_runs_nothing_and_calls_nobody, a_reload_shows_the_same_block_with_its_label, "
        "keys_work_while_a_chinese_input_method_is_on",
}  # fmt: skip
Row = dict[str, Any]


@pytest.fixture(scope="module")
def rows() -> list[tuple[Bad, Row]]:
    with Judging(str(ROOT / "models" / "news_v1")).guard(workers=2) as guard:
        return [
            (bad, row) for bad, (row,) in guard.map((bad._replace(body=b""), [page_of(bad)]) for bad in bad_pages())
        ]


def page_of(bad: Bad) -> RawPage:
    return RawPage(bad.label, bad.body, None, bad.charset, bad.media_type)


def outcome(bad: Bad, row: Row) -> str:
    if isinstance(row, tuple):
        return row.code
    if row["error"]:
        return str(row["error"]["code"])
    if bad.marker in row["text"]:
        return FOUND
    if "parse_loss" in row["reasons"]:
        return "parse_loss"
    return "dropped" if row["reasons"] else "lost"


def test_the_article_is_found_or_the_page_says_why_not(rows: list[tuple[Bad, Row]]) -> None:
    wrong = {
        f"{bad.number} {bad.label}": outcome(bad, row) for bad, row in rows if outcome(bad, row) not in bad.outcomes
    }
    assert wrong == {}


def names_in(module: str) -> set[str]:
    folder, _, name = module.rpartition("/")
    tree = ast.parse((ROOT / "tests" / folder / f"test_{name}.py").read_text("utf-8"))
    return {node.name.removeprefix("test_") for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_all_eighty_kinds_are_tried() -> None:
    assert sorted({bad.number for bad in bad_pages()} | set(ELSEWHERE)) == list(range(1, 81))
    for part in "; ".join(ELSEWHERE.values()).split("; "):
        module, _, names = part.partition(": ")
        assert set(names.split(", ")) <= names_in(module), part
