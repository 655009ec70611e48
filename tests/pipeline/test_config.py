"""config.yaml and corrections.yaml: what is accepted, and the sentence that each mistake gets."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from db.records import ListName
from pipeline.config import has_corrections, load, paths, storage
from pipeline.corrections_file import load_corrections
from pipeline.settings_file import ConfigError
from pipeline.tracking.corrections import Action, Correction, Selector

WHY = "why: its MOA says so"
ROWS = "after: {agency: Ellis County Sheriff's Office}"
FIX = f"action: fix, {WHY}, {ROWS}"
IGNORE = f"action: ignore, {WHY}"


def written(folder: Path, text: str, name: str = "corrections.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def corrections(folder: Path, *entries: str) -> list[Correction]:
    lines = "".join(f"  - {{{entry}}}\n" for entry in entries)
    return list(load_corrections(written(folder, f"corrections:\n{lines}")))


def mistake(folder: Path, *entries: str) -> str:
    with pytest.raises(ConfigError) as refused:
        corrections(folder, *entries)
    return str(refused.value).replace(f"{folder / 'corrections.yaml'}: ", "")


# corrections.yaml


@pytest.mark.parametrize("text", [None, "", "# nothing yet\n", "corrections:\n", "corrections: []\n"])
def test_no_corrections_are_none(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "corrections.yaml"
    if text is not None:
        written(tmp_path, text)

    assert list(load_corrections(path)) == []
    assert has_corrections(path) is bool(text)


@pytest.mark.parametrize(
    ("field", "value", "stored"),
    [
        ("state", "KS", ("state", "KS")),
        ("state", "Kansas", ("state", "KS")),
        ("state", "kansas", ("state", "KS")),
        ("support_model", "JEM", ("support_model", "Jail Enforcement Model")),
        ("model", "task force model", ("support_model", "Task Force Model")),
        ("signed_on", "2025-07-14", ("signed_on", date(2025, 7, 14))),
        ("signed", "'2025-07-14'", ("signed_on", date(2025, 7, 14))),
        ("county", "Ellis County", ("county", "Ellis County")),
        ("county", "null", ("county", None)),
    ],
)
def test_a_fixed_value_is_stored_as_the_rows_have_it(
    tmp_path: Path, field: str, value: str, stored: tuple[str, object]
) -> None:
    (found,) = corrections(tmp_path, f"{FIX}, field: {field}, value: {value}")

    assert (found.field, found.value) == stored


def test_the_rows_that_are_meant_are_named_as_the_rows_have_it(tmp_path: Path) -> None:
    rows = "{agency: Ellis County, state: Kansas, model: wso, signed: 2025-07-07, workbook: ABCDEF12, row: 7}"
    (found,) = corrections(tmp_path, f"action: same, {WHY}, list: pending, before: {rows}, after: {rows}")

    named = Selector("KS", "Ellis County", "Warrant Service Officer", date(2025, 7, 7), "abcdef12", 7)
    assert found == Correction(Action.SAME, "its MOA says so", named, named, list=ListName.PENDING)


def test_a_sha256_may_be_in_capitals(tmp_path: Path) -> None:
    (found,) = corrections(tmp_path, f"{IGNORE}, workbook: 0123456789ABCDEF")

    assert found.after.workbook == "0123456789abcdef"


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (f"{FIX}, field: state, value: Kanzas", "the `value` of `state`: 'Kanzas' is no state; did you mean Kansas?"),
        (f"{FIX}, field: state, value: Freedonia", "'Freedonia' is no state; give a name or one of A"),
        (f"{FIX}, field: state, value: null", "the `value` of `state`: None is no state"),
        (f"{FIX}, field: model, value: ABC", "'ABC' is no support model; there are JEM (Jail Enforcement Model), WSO"),
        (f"{FIX}, field: signed, value: last week", "the `value` of `signed` must be a date, YYYY-MM-DD"),
        (f"{FIX}, field: county, value: 7", "the `value` of `county` must be a text, not 7"),
        (f"{FIX}, field: agency, value: null", "the `value` of `agency` must be a text, not None"),
        (
            f"{FIX}, field: sheriff, value: x",
            "`field` must be one of state, agency, agency_type, county, model, signed",
        ),
        (f"{FIX}, field: state", "`fix` needs `value`"),
        (f"{FIX}, field: state, value: KS, workbook: abcdef12", "`fix` takes no `workbook`; it takes action, why"),
        (
            f"action: fix, {WHY}, after: {{state: KS}}, field: state, value: KS",
            "`after` must name an agency, or a",
        ),
        (f"action: same, {WHY}, {ROWS}", "`same` needs `before`"),
        (f"action: same, {WHY}, before: {{agency: A, model: ABC}}, {ROWS}", "`model` of `before`: 'ABC' is no"),
        (f"action: same, {WHY}, before: {{agency: A, state: Kanzas}}, {ROWS}", "did you mean Kansas?"),
        (
            f"action: same, {WHY}, before: {{agency: A, modle: WSO}}, {ROWS}",
            "`before` knows no `modle`; it knows",
        ),
        (f"action: same, {WHY}, before: {{agency: A, model: WSO, support_model: WSO}}, {ROWS}", "twice"),
        (f"action: merge, {WHY}", "`action` must be one of same, distinct, ignore, fix, not 'merge'"),
        ("action: ignore, workbook: abcdef12", "`ignore` needs `why`"),
        (f"{IGNORE}, workbook: 123456", "must be a SHA-256 or its first characters, six or more, in quotes"),
        (f"{IGNORE}, workbook: abc", "`workbook` must be a SHA-256 or its first characters, six or more, not 'abc'"),
        (f"{IGNORE}, workbook: abcdef12, until: soon", "`until` must be a date, YYYY-MM-DD, not 'soon'"),
        (f"{IGNORE}, workbook: abcdef12, list: both", "`list` must be participating or pending, not 'both'"),
    ],
)
def test_nonsense_is_refused_in_words_that_say_what_is_allowed(tmp_path: Path, entry: str, says: str) -> None:
    told = mistake(tmp_path, f"{IGNORE}, workbook: abcdef12", entry)

    assert told.startswith("entry 2 (its MOA says so): " if "why" in entry else "entry 2: ")
    assert says in told
    assert "\n" not in told


def test_every_wrong_entry_is_named(tmp_path: Path) -> None:
    told = mistake(tmp_path, "action: same", f"{IGNORE}, workbook: abcdef12", "action: 7")

    assert [line.partition(":")[0] for line in told.splitlines()] == ["entry 1", "entry 3"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("corrections:\n  - action: ignore\n    until: 2025-13-01\n", ", line 3: there is no date 2025-13-01; write"),
        ("corrections: []\ncorrections: []\n", ", line 2: `corrections` is there twice; keep one of the two"),
        ("corrections:\n  - why: a\n    action: fix\n    why: b\n", ", line 4: `why` is there twice"),
        ("corrections:\n  - - a\n", ": entry 1: must hold keys and values, such as `action: same`, not ['a']"),
        ("corrections: many\n", ": `corrections` must be a list of entries"),
        ("correction: []\n", ": correction is no known key; the entries stand below `corrections:`"),
        ("corrections: [\n", ": not readable as YAML: "),
        ("corrections: &all [*all]\n", ": not readable as YAML: it is nested without end"),
        ("- action: same\n", ": must hold keys and values"),
    ],
)
def test_a_file_that_cannot_be_understood_is_one_sentence(tmp_path: Path, text: str, says: str) -> None:
    path = written(tmp_path, text)

    with pytest.raises(ConfigError) as refused:
        load_corrections(path)
    assert str(refused.value).startswith(f"{path}{says}")
    assert "\n" not in str(refused.value)


# config.yaml


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("source: {delay_second: 3}", "source.delay_second is no known key; did you mean delay_seconds?"),
        ("sauce: {}", "sauce is no known key; did you mean source?"),
        ("source: {retries: many}", "source.retries: must be a whole number, not 'many'"),
        ("source: {delay_seconds: -1}", "source.delay_seconds: must be at least 0, not -1"),
        ("checks: {vanish_share: 10}", "checks.vanish_share: must be at most 1, not 10"),
        ("status_stale_hours: 0", "status_stale_hours: must be more than 0, not 0"),
        ("source: {obey_robots: perhaps}", "source.obey_robots: must be true or false, not 'perhaps'"),
        ("source: {user_agent: '{name}'}", "source.user_agent: may hold {version} and {contact}, and no other braces"),
        ("source: {contact: 'ü'}", "source.contact: must be one line of plain characters"),
        ("source: [page]", "source: must hold keys and values"),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_allowed(tmp_path: Path, text: str, says: str) -> None:
    path = written(tmp_path, text, "config.yaml")

    with pytest.raises(ConfigError) as refused:
        load(path)
    assert str(refused.value).startswith(f"{path}: {says}")


def test_where_the_history_is_can_be_told_though_the_rest_is_wrong(tmp_path: Path) -> None:
    wrong = written(tmp_path, "source: {page: ice.gov}\nstorage: {database: here.db}\n", "config.yaml")
    worse = written(tmp_path, "storage: {database: [here]}\n", "worse.yaml")

    part = storage(wrong)
    assert part is not None
    assert part.database == Path("here.db")
    assert storage(worse) is None


def test_another_database_has_its_archive_and_its_log_beside_it(tmp_path: Path) -> None:
    found = paths(load(None), None, tmp_path / "other.db")

    assert (found.archive, found.log) == (tmp_path / "archive", tmp_path / "crawl.log")
