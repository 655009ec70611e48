"""docs/recipes.md: every answer in it is what its SQL gives on the example history; and so are its other examples."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import example as given_example
from hypothesis import given as given_any
from hypothesis.strategies import characters, integers, text

from db.connect import open_readonly
from pipeline.publish.browse.recipes import Recipe, recipes
from pipeline.publish.browse.values import values
from tests import example
from tests.archive import needs_archive
from tests.pipeline.test_backfill import whole  # noqa: F401 - a fixture

DOCS = Path(__file__).parents[1] / "docs"
RECIPES = (DOCS / "recipes.md").read_text(encoding="utf-8")
CUT = "…"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("example") / "data"
    folder.mkdir()
    return example.write(folder)


@pytest.fixture(scope="module")
def connection(database: Path) -> Iterator[sqlite3.Connection]:
    opened = open_readonly(database)
    yield opened
    opened.close()


def section(question: str) -> str:
    """What the document says under a question."""
    return RECIPES.partition(f"\n### {question}\n")[2].partition("\n## ")[0].partition("\n### ")[0]


def stated(question: str) -> tuple[str, dict[str, str], list[list[str]]]:
    """The SQL, the values and the answer, heading first, that the document has for a question."""
    text = section(question)
    (sql,) = re.findall(r"^```sql\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    values = dict(re.findall(r"`:(\w+)` = `([^`]*)`", text))
    lines = [line for line in text.splitlines() if line.startswith("|")]
    table = [[cell.replace("\\|", "|") for cell in re.split(r" (?<!\\)\| ", line[2:-2])] for line in lines]
    return sql, values, [row for number, row in enumerate(table) if number != 1]


def given(cursor: sqlite3.Cursor) -> list[list[str]]:
    """What SQL gives, as the document writes it."""
    heading = [column[0] for column in cursor.description]
    return [heading, *(["" if value is None else str(value) for value in row] for row in cursor)]


def agrees(answer: list[list[str]], result: list[list[str]]) -> bool:
    """Whether an answer is the result; what ends with … stands for any text with that beginning."""
    return [len(row) for row in answer] == [len(row) for row in result] and all(
        cell.startswith(said.removesuffix(CUT)) if said.endswith(CUT) else said == cell
        for said_row, row in zip(answer, result, strict=True)
        for said, cell in zip(said_row, row, strict=True)
    )


def test_there_are_enough_and_each_has_a_name_of_its_own() -> None:
    assert len({recipe.name for recipe in recipes()}) == len({r.question for r in recipes()}) == len(recipes()) >= 20


@pytest.mark.parametrize("recipe", recipes(), ids=lambda recipe: recipe.name)
def test_the_answer_in_the_document_is_what_its_sql_gives(connection: sqlite3.Connection, recipe: Recipe) -> None:
    sql, values, answer = stated(recipe.question)
    result = given(connection.execute(sql, values))

    if len(result) == 1:
        assert section(recipe.question).rstrip().endswith("Nothing: no row.")
    else:
        assert agrees(answer, result), result


@pytest.mark.parametrize("recipe", recipes(), ids=lambda recipe: recipe.name)
def test_a_recipe_asks_the_views_and_leaves_the_order_to_nobody(recipe: Recipe) -> None:
    asked = set(re.findall(r"\b(?:from|join) (\w+)", recipe.sql))
    inner = {"workbook", "publication", "sighting", "agreement", "version", "event", "placement", "printed", "agency"}

    assert not asked & inner
    assert "order by" in recipe.sql


PLACES = {"state", "agency_id", "agreement_id", "workbook_name"}


@pytest.mark.parametrize(
    "recipe", [r for r in recipes() if PLACES & r.parameters.keys()], ids=lambda recipe: recipe.name
)
def test_what_asks_for_one_thing_reads_no_large_table_through(connection: sqlite3.Connection, recipe: Recipe) -> None:
    """But for all rows of one agency: reading 160,000 placements takes 11 ms, an index of them 2 MB of 8."""
    steps = [row["detail"] for row in connection.execute(f"explain query plan {recipe.sql}", dict(recipe.parameters))]
    large = {"v", "e", "l", "a"} - ({"l"} if recipe.name == "printed-as" else set())

    assert not [step for step in steps if re.fullmatch(r"SCAN (\w+)", step) and step[5:] in large], steps


def test_no_recipe_reads_through_the_listings_more_than_once(connection: sqlite3.Connection) -> None:
    """They are the one table that grows with every list: 160,000 rows in the first year."""
    for recipe in recipes():
        plan = connection.execute(f"explain query plan {recipe.sql}", dict(recipe.parameters)).fetchall()
        asked = [row["detail"] for row in plan]
        assert sum(step.startswith("SCAN l") for step in asked) <= 1, (recipe.name, asked)
        assert not [step for step in asked if "AUTOMATIC" in step and " l " in step], (recipe.name, asked)


SEARCH = next(recipe for recipe in recipes() if recipe.name == "find-an-agency").sql


@given_any(words=text(characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30))
@given_example(words='"')
@given_example(words="sheriff's OR lake-county AND ) NEAR(")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_can_be_searched_for(connection: sqlite3.Connection, words: str) -> None:
    connection.execute(SEARCH, {"words": words}).fetchall()


@given_any(place=integers(0, 500), cut=integers(1, 40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_agency_is_found_by_the_beginning_of_its_name(connection: sqlite3.Connection, place: int, cut: int) -> None:
    names = connection.execute("select agency_id, agency from agencies order by agency_id").fetchall()
    agency_id, name = names[place % len(names)]

    found = connection.execute(SEARCH, {"words": name[:cut]}).fetchall()
    assert agency_id in {row["agency_id"] for row in found}


# The other examples of the documents


@pytest.mark.parametrize("name", ["schema.md", "recipes.md"])
def test_the_examples_in_python_run(
    name: str, database: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(database.parent.parent)
    found = re.findall(r"^```python\n(.*?)^```", (DOCS / name).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)

    assert found
    for script in found:
        names: dict[str, sqlite3.Connection] = {}
        exec(script, names)  # noqa: S102 - that is what the document says
        names["history"].close()
        assert capsys.readouterr().out.count("\n") >= 4


@pytest.mark.skipif(shutil.which("sqlite3") is None, reason="needs the sqlite3 shell")
@pytest.mark.parametrize("name", ["schema.md", "recipes.md"])
def test_the_examples_in_the_shell_run(name: str, database: Path) -> None:
    text = (DOCS / name).read_text(encoding="utf-8")
    for block in re.findall(r"^```console\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        command = block.partition("\n")[0].removeprefix("$ ")
        typed = "\n".join(re.findall(r"^sqlite> (.*)$", block, re.MULTILINE))
        done = subprocess.run(
            ["sh", "-c", command], cwd=database.parent.parent, input=typed, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, ""), (command, done.stderr)
        assert "│" in done.stdout


def test_the_sql_of_the_schema_document_runs(connection: sqlite3.Connection) -> None:
    text = (DOCS / "schema.md").read_text(encoding="utf-8")
    found = re.findall(r"^```sql\n(.*?)^```", text, re.DOTALL | re.MULTILINE)

    assert len(found) >= 3
    for sql in found:
        assert connection.execute(sql).fetchall(), sql


def test_every_way_of_searching_that_is_told_finds_something(connection: sqlite3.Connection) -> None:
    text = (DOCS / "schema.md").read_text(encoding="utf-8").partition("| what to match |")[2].partition("\n\n")[0]
    found = re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)

    assert len(found) >= 6
    for words in found:
        sql = "select count(*) from agency_search where agency_search match ?"
        assert connection.execute(sql, (words,)).fetchone()[0] or "constable" in words, words


def test_the_links_within_the_documents_lead_somewhere() -> None:
    for path in DOCS.glob("*.md"):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text(encoding="utf-8")):
            assert (DOCS / target).exists(), (path.name, target)
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    assert all(f"]({path.name})" in index or path.name == "README.md" for path in DOCS.iterdir())
    from tools.make_docs import _anchor

    anchors = {_anchor(heading) for heading in re.findall(r"^#+ (.+)$", RECIPES, re.MULTILINE)}
    schema = (DOCS / "schema.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\]\(recipes\.md#([^)]+)\)", schema)) <= anchors
    assert set(re.findall(r"\]\(#([^)]+)\)", RECIPES)) <= anchors


# On the real lists


@pytest.fixture(scope="module")
def real(whole: Path) -> Iterator[sqlite3.Connection]:  # noqa: F811
    opened = open_readonly(whole / "history.db")
    yield opened
    opened.close()


def ask(connection: sqlite3.Connection, name: str) -> list[dict[str, Any]]:
    (recipe,) = [recipe for recipe in recipes() if recipe.name == name]
    return [dict(row) for row in connection.execute(recipe.sql, dict(recipe.parameters))]


MOST_STEPS = 3_000_000
"""Of SQLite's virtual machine, which does tens of millions in a second."""


@needs_archive
@pytest.mark.parametrize("recipe", recipes(), ids=lambda recipe: recipe.name)
def test_a_recipe_is_answered_at_once_on_the_real_lists(real: sqlite3.Connection, recipe: Recipe) -> None:
    thousands = count()
    real.set_progress_handler(lambda: next(thousands) * 1000 > MOST_STEPS, 1000)
    try:
        real.execute(recipe.sql, dict(recipe.parameters)).fetchall()
    finally:
        real.set_progress_handler(None, 0)


@needs_archive
def test_the_recipes_give_the_public_numbers(real: sqlite3.Connection) -> None:
    """1,140 agreements listed as signed in 2025 at that year's end; the task force model the majority."""
    signed = ask(real, "signed-by-month")
    (last, *_) = reversed(ask(real, "models-over-time"))

    assert sum(row["signed"] for row in signed) > 1_130
    assert last["task_force_percent"] > 50
    assert last["agreements"] == len(real.execute("select 1 from current_agreements").fetchall())


@needs_archive
def test_what_came_and_went_by_month_leads_from_the_first_list_to_the_last(real: sqlite3.Connection) -> None:
    provisional = sum(row["status"] == "provisional" for row in ask(real, "not-counted-as-gone"))
    months = {row["month"]: row["net"] for row in ask(real, "net-change-by-month")}
    ends = {row["month"]: row["agreements"] for row in ask(real, "models-over-time")}

    first, *_, last = sorted(ends)
    assert ends[last] == ends[first] + sum(net for month, net in months.items() if month > first) - provisional


ASKED_NOW = {"pending-long": "nobody waits longer now", "checks": "backfilled, never checked", "model-switches": ""}
"""The recipes that may have no row on the real lists, and why."""


@needs_archive
def test_a_recipe_opens_with_values_that_have_an_answer_on_the_real_lists(real: sqlite3.Connection) -> None:
    opens = values(real)
    empty = {r.name for r in recipes() if not real.execute(r.sql, opens.get(r.name, {})).fetchall()}

    assert empty <= set(ASKED_NOW)


@needs_archive
def test_several_models_at_once_are_those_of_each_day(real: sqlite3.Connection) -> None:
    asked = ask(real, "several-models-over-time")
    names = real.execute("select agency_id, state, agency from agencies").fetchall()
    known = {row["agency_id"]: (row["state"], row["agency"]) for row in names}
    sql = "select agency_id, support_model from listing_history where list = 'participating'"
    for day in ("2025-03-07", "2025-06-12", "2025-08-18", "2025-11-06", "2025-12-12"):
        models: dict[str, set[str]] = {}
        for row in real.execute(
            f"{sql} and support_model > '' and valid_from <= ? and (valid_to is null or valid_to > ?)", (day, day)
        ):
            models.setdefault(row["agency_id"], set()).add(row["support_model"])
        expected = sorted((*known[one], ", ".join(sorted(held))) for one, held in models.items() if len(held) > 1)
        told = sorted(
            (row["state"], row["agency"], row["models"])
            for row in asked
            if row["since"] <= day and (row["until"] is None or row["until"] > day)
        )
        assert told == expected, day


@needs_archive
def test_every_new_agreement_has_one_first_list_and_every_state_a_first_agreement(real: sqlite3.Connection) -> None:
    (new,) = real.execute("select count(*) from event_log where kind = 'new' and status = 'confirmed'").fetchone()
    states = real.execute("select distinct state from listing_history where list = 'participating'").fetchall()

    assert sum(row["new_agreements"] for row in ask(real, "moa-on-first-list")) == new
    assert {row["state"] for row in ask(real, "first-in-each-state")} == {row["state"] for row in states}


@needs_archive
def test_the_kinds_of_agencies_add_up(real: sqlite3.Connection) -> None:
    months = ask(real, "kinds-of-agencies")
    (now,) = real.execute("select count(distinct agency_id) from current_agreements").fetchone()

    assert months[-1]["agencies"] == now
    for row in months:
        assert row["agencies"] == row["sheriffs"] + row["police"] + row["state_agencies"] + row["other"]


@needs_archive
def test_the_numbers_of_the_schema_document_are_those_of_the_real_lists(real: sqlite3.Connection) -> None:
    (told,) = real.execute("""
        select (select count(*) from listing_history where list = 'participating' and valid_from = (
                    select min(published_on) from publication_log
                    where list = 'participating' and verdict = 'accepted')),
               (select count(*) from event_log where kind = 'new'),
               (select count(*) from event_log where kind = 'renewed'),
               (select count(distinct agreement_id) from listing_history where list = 'participating'),
               (select count(*) from current_agreements),
               (select count(*) from current_agreements where signed_on like '2025-%')""").fetchall()
    first, new, renewed, ever, now, signed_now = told
    signed = sum(row["signed"] for row in ask(real, "signed-by-month"))
    said = " ".join((DOCS / "schema.md").read_text(encoding="utf-8").split())

    assert first + new + renewed == ever
    assert f"{first} + {new:,} + {renewed} = {ever:,} ever listed; {now:,} were in force" in said
    assert f"signed in 2025 were {signed:,}, of which {signed_now:,} were in force" in said
    types = "select agency_id from listing_history where list = 'participating' group by 1"
    retyped = real.execute(f"{types} having count(distinct agency_type) > 1").fetchall()
    assert f"{len(retyped)} agencies have had two types" in said
