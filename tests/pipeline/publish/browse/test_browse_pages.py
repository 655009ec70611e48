"""What `watch287g serve` answers, asked without a browser."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("datasette")

from db.connect import HistoryError, open_readonly, open_writable
from db.schema import dictionary, relations
from pipeline.publish.browse.application import application
from pipeline.publish.browse.cells import cell
from pipeline.publish.browse.hosts import are_known, names
from pipeline.publish.browse.limits import ANSWER_CHARACTERS, MEMORY_BYTES, VALUE_BYTES, Connection, limit
from pipeline.publish.browse.metadata import FACETS, NEWEST_FIRST, SHOWN, WITHHELD, address, is_view
from pipeline.publish.browse.recipes import Recipe, recipes
from pipeline.publish.browse.values import values
from tests import example
from tests.db.histories import History, Posted, rows, sheriff

HOSTS = ("ice.gov",)
HOSTILE = "<script>alert('1')</script> & \"Bay\" County Sheriff's Office"
ELSEWHERE = "https://evil.example/ Police"
REVERSED = "Bay\u202e eciloP\u009b \u200bDepartment"
LONG = f"\u202e{'長' * 32_000} Police"
NAMES = (HOSTILE, ELSEWHERE, REVERSED, LONG)
Get = Callable[..., httpx.Response]


def served(database: Path, host: str = "127.0.0.1") -> Iterator[Get]:
    """Asks a Datasette over that history, in this thread: by a path, and headers if any."""
    datasette = application(database, HOSTS, threads=0, host=host)
    with asyncio.Runner() as runner:
        yield lambda path, headers=None: runner.run(datasette.client.get(path, headers=headers or {}))
    for one in datasette.databases.values():
        one.close()
        for connection in filter(None, (one._read_connection, one._write_connection)):
            connection.close()


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return example.write(tmp_path_factory.mktemp("example"))


@pytest.fixture(scope="module")
def get(database: Path) -> Iterator[Get]:
    yield from served(database)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Get]:
    """A history in which ICE's list holds a script, an address, marks that reorder text and a long text for names."""
    folder = tmp_path_factory.mktemp("hostile")
    with History(folder) as history:
        history.post(
            Posted("participating", 0, rows("Lee", "Polk")),
            Posted("participating", 2, [*rows("Lee", "Polk"), *(sheriff("Bay", agency=n) for n in NAMES)]),
        )
    yield from served(folder / "history.db")


def told(answer: httpx.Response) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer.json()
    return found


def test_the_front_page_leads_to_every_view_and_recipe(get: Get, database: Path) -> None:
    page = get("/").text

    assert "participating list of 2025-08-04" in page
    hrefs = set(re.findall(r'href="([^"]+)"', page))
    with closing(open_readonly(database)) as connection:
        opens = values(connection)
    assert {address(one, opens.get(one.name, {})).replace("&", "&amp;") for one in recipes()} <= hrefs
    assert {f"/history/{name}" for name in dictionary() if is_view(name)} <= hrefs


@pytest.mark.parametrize("recipe", recipes(), ids=lambda recipe: recipe.name)
def test_every_recipe_is_a_query_that_answers(get: Get, database: Path, recipe: Recipe) -> None:
    page = get(address(recipe, recipe.parameters))
    path, _, asked = address(recipe, recipe.parameters).partition("?")
    data = get(f"{path}.json?_shape=array&{asked}")

    assert page.status_code == data.status_code == 200
    assert "message-error" not in page.text
    with closing(open_readonly(database)) as connection:
        expected = [dict(row) for row in connection.execute(recipe.sql, dict(recipe.parameters))]
    assert told(data) == expected
    assert ("For example" in page.text) is bool(recipe.parameters)


@pytest.mark.parametrize("recipe", [one for one in recipes() if one.parameters], ids=lambda recipe: recipe.name)
def test_a_recipe_opens_with_values_of_this_history(get: Get, recipe: Recipe) -> None:
    bare = get(f"/history/{recipe.name}")
    opened = bare.headers["location"]

    assert bare.status_code == 302
    assert f'href="{opened.replace("&", "&amp;")}"' in get("/").text
    page = get(opened).text
    assert "0 results" not in page
    assert get(f"{opened}&_hide_sql=1").status_code == 200


def test_what_a_recipe_says_is_shown_once_as_it_is(get: Get) -> None:
    page = get("/history/listed-on-a-day?state=GA&day=2025-06-01").text

    assert "say <code>pending</code>; for any day" in page
    assert "<code>valid_from &lt;= B</code>" in page
    assert "&lt;code&gt;" not in page
    assert "&amp;lt;" not in page


@pytest.mark.parametrize(
    "words", ["sheriff's", "hall-county", '"hall', "hall AND", "hall*", "(", "", "  hall   county "]
)
def test_any_words_can_be_searched_for(get: Get, words: str) -> None:
    answer = get(f"/history/find-an-agency.json?_shape=array&words={quote(words)}")

    assert answer.status_code == 200, answer.text
    found = {row["agency_id"] for row in told(answer)}
    assert ("ga-hall-county-sheriffs-office" in found) is (words.strip(" (") not in ("", "hall AND"))


@pytest.mark.parametrize("name", [name for name in dictionary() if is_view(name)])
def test_a_view_shows_what_its_columns_mean_and_its_facets(get: Get, name: str) -> None:
    page = get(f"/history/{name}").text

    assert page.count("<dt>") >= len(dictionary()[name].columns)
    assert "These facets timed out" not in page
    assert page.index("<table") < page.index("</table>") < (page + "facet-results").index("facet-results")
    assert page.index("<details") < page.index("<dt>") < page.index("</details>") < page.index("<table")
    for facet in FACETS.get(name, ()):
        assert f'data-column="{facet}"' in page
        assert f"facet-{facet.replace('_', '-')}" in page or "facet-results" in page


def test_facets_and_sorting_are_by_columns_that_there_are() -> None:
    for name, columns in [*FACETS.items(), *((name, [column]) for name, column in NEWEST_FIRST.items())]:
        assert set(columns) <= set(dictionary()[name].columns), name


def test_which_names_are_views_and_tables_is_known(database: Path) -> None:
    with closing(open_readonly(database)) as connection:
        known = relations(connection)

    assert {name: is_view(name) for name in dictionary()} == {name: known[name].is_view for name in dictionary()}
    assert {*SHOWN, *WITHHELD} <= {name for name, relation in known.items() if not relation.is_view}


def test_a_facet_that_is_there_already_is_shown_once(get: Get) -> None:
    page = get("/history/current_agreements?_facet=state&_facet=row&state=GA").text

    assert page.count('class="facet-info-name"') == len(FACETS["current_agreements"]) + 1
    assert page.count('id="facet-state"') == page.count('id="facet-row"') == 1


def test_a_facet_narrows_the_view(get: Get) -> None:
    assert {row["state"] for row in told(get("/history/current_agreements.json?state=GA&_shape=array"))} == {"GA"}


def test_a_search_finds_an_agency_by_a_former_name(get: Get) -> None:
    found = told(get("/history/agencies.json?_search=sherriffs&_shape=array"))

    assert [row["agency_id"] for row in found] == ["fl-bay-county-sheriffs-office"]


def test_internal_tables_are_hidden_and_the_rest_is_shown(get: Get) -> None:
    tables = {table["name"]: table["hidden"] for table in get("/history.json").json()["tables"]}

    assert {name for name, hidden in tables.items() if not hidden} == set(SHOWN)
    assert set(tables) >= set(dictionary()) - set(WITHHELD) - {name for name in dictionary() if is_view(name)}


@pytest.mark.parametrize("name", WITHHELD)
def test_who_is_told_what_can_be_asked_for_in_no_way(get: Get, name: str) -> None:
    assert get(f"/history/{name}").status_code in (403, 404)
    assert get(f"/history/{name}.json").status_code in (403, 404)
    for sql in ("select * from {}", "select (select count(rowid) from {}) from state", "select 1 from {} where rowid",
                "select count(*) from {}", "select count(*) from main.[{}]"):  # fmt: skip
        for spelt in (name, name.upper()):
            assert get(f"/history.json?sql={quote(sql.format(spelt))}").status_code == 400
    refused = get(f"/history/event_log?_where=1+in+(select+1+from+{name})")
    assert refused.status_code == 400
    assert "not authorized" in refused.text
    assert name not in {table["name"] for table in get("/history.json").json()["tables"]}


@pytest.mark.parametrize(
    "sql",
    [
        "select name, ncell from dbstat where aggregate = 1",
        "select count(*) from DBSTAT",
        "select file from pragma_database_list",
        "select count(*) from pragma_database_list",
        "select sql from sqlite_stmt",
        "select fts3_tokenizer('simple')",
        "select * from fts3tokenize('simple', 'a b')",
    ],
)
def test_what_tells_of_the_rest_or_reaches_further_is_refused(get: Get, sql: str) -> None:
    assert get(f"/history.json?sql={quote(sql)}").status_code == 400


@pytest.mark.parametrize(
    "sql",
    [
        "with messages as (select 1) select count(*) from messages",
        "with recursive n(i) as (select 1 union all select i + 1 from n limit 5) select count(*) from n",
        "select count(*) from (select state from agencies)",
        "select name from sqlite_master where type = 'view'",
        "select name from pragma_table_info('event')",
        "select value from json_each('[1, 2]')",
        "select agency_id from agencies where agency like '%sheriff%'",
    ],
)
def test_a_reader_may_ask_in_any_words(get: Get, sql: str) -> None:
    assert told(get(f"/history.json?_shape=array&sql={quote(sql)}"))


def test_where_the_file_is_is_not_told(get: Get, database: Path) -> None:
    for path in ("/-/databases.json", "/-/metadata.json", "/-/settings.json", "/history.json", "/history", "/"):
        assert str(database.parent) not in get(path).text, path
    (one,) = get("/-/databases.json").json()
    assert (one["path"], one["size"]) == (None, database.stat().st_size)


@pytest.mark.parametrize(
    "sql",
    [
        "select zeroblob(1000000000)",
        "select hex(zeroblob(400000000))",
        "with recursive d(t) as (select 'ab' union all select t || t from d) select length(t) from d",
        "with recursive n(i) as (select 1 union all select i + 1 from n limit 10000) select zeroblob(4000000) from n",
        "select replace(printf('%.2000000c', 'a'), 'a', printf('%.2000000c', 'a'))",
        "select 'a' like printf('%.5000c', 'a')",
        "select trim('a', group_concat(char(fips % 300 + 33))) from county",
        "select json_patch('{}', '{}')",
    ],
)
def test_a_question_that_takes_too_much_is_refused(get: Get, sql: str) -> None:
    answer = get(f"/history.json?sql={quote(sql)}")

    assert answer.status_code == 400
    assert len(answer.content) < 2_000


def test_a_question_that_grows_as_it_is_read_is_refused(get: Get) -> None:
    part = "a{0} as (select * from a{1} union all select * from a{1})"
    parts = ", ".join(["a0 as (select 1 as x)", *(part.format(i, i - 1) for i in range(1, 26))])
    answer = get(f"/history.json?sql={quote('with ' + parts)}+select+1+from+a25")

    assert answer.status_code == 400
    assert "too much memory" in answer.text


@pytest.fixture(scope="module")
def plain() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as connection:
        yield connection


@pytest.fixture(scope="module")
def limited() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", factory=Connection)) as connection:
        limit(connection)
        yield connection


TEXTS = st.text("ab é😀\n", max_size=6)
VALUES = st.none() | st.integers(-99, 99) | TEXTS | TEXTS.filter(bool).map(str.encode)


@pytest.mark.parametrize("call", ["instr(?, ?)", "trim(?, ?)", "ltrim(?, ?)", "rtrim(?, ?)", "replace(?, ?, ?)"])
@given(values=st.tuples(VALUES, VALUES, VALUES))
def test_a_replaced_function_answers_as_sqlites(
    plain: sqlite3.Connection, limited: sqlite3.Connection, call: str, values: tuple[Any, Any, Any]
) -> None:
    ask = f"select {call}"
    given_values = values[: call.count("?")]

    assert limited.execute(ask, given_values).fetchall() == plain.execute(ask, given_values).fetchall()


def test_the_limits_are_on_every_connection_and_leave_room_for_the_longest_rows(limited: sqlite3.Connection) -> None:
    assert limited.getlimit(sqlite3.SQLITE_LIMIT_LENGTH) == VALUE_BYTES > 8 * 32_767 * len("\\ud83d\\ude00")
    assert limited.execute("pragma hard_heap_limit").fetchone() == (MEMORY_BYTES,)
    with pytest.raises(sqlite3.OperationalError, match="20 million characters"):
        limited.execute("select zeroblob(?) from json_each('[1,2,3,4,5,6]')", (ANSWER_CHARACTERS // 5,)).fetchall()


@pytest.mark.parametrize(
    "sql",
    [
        "delete from event",
        "with x as (select 1) insert into setting select 'a', 'b'",
        "update event set kind = 'new'",
        "drop table event",
        "pragma query_only = 0",
        "attach '/etc/passwd' as other",
        "select 1; delete from event",
        "select load_extension('x')",
        "insert into agency_search (agency_search) values ('rebuild')",
    ],
)
def test_nothing_can_be_written(get: Get, database: Path, sql: str) -> None:
    before = database.read_bytes()

    assert get(f"/history?sql={quote(sql)}").status_code == 400
    assert database.read_bytes() == before


def test_the_file_cannot_be_downloaded(get: Get) -> None:
    assert get("/history.db").status_code in (403, 404)


def test_asking_for_a_connection_to_write_is_refused(database: Path) -> None:
    datasette = application(database, HOSTS, threads=0)
    with pytest.raises(PermissionError, match="for reading only"):
        datasette.get_database("history").connect(write=True)
    datasette.get_database("history").close()


def test_what_is_written_meanwhile_is_shown(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        history.post(Posted("participating", 0, rows("Lee", "Polk")))
        for get in served(tmp_path / "history.db"):
            assert len(told(get("/history/current_agreements.json?_shape=array"))) == 2
            history.post(Posted("participating", 2, rows("Lee", "Polk", "Bay")))
            assert len(told(get("/history/current_agreements.json?_shape=array"))) == 3


def test_a_history_whose_folder_is_gone_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="browse a copy, made by `watch287g backup`"):
        application(tmp_path / "history.db", HOSTS)


# The tables


@pytest.mark.parametrize("name", [name for name in dictionary() if name not in WITHHELD])
def test_every_view_and_table_and_a_row_of_it_has_a_page(get: Get, database: Path, name: str) -> None:
    page = get(f"/history/{name}")
    assert page.status_code == 200
    rows = re.findall(rf'href="(/history/{name}/[^"?]+)"', page.text)
    with closing(open_readonly(database)) as connection:
        (number,) = connection.execute(f"select count(*) from [{name}]").fetchone()  # noqa: S608
    assert bool(rows) is (number > 0 and not is_view(name))
    for row in rows[:1]:
        assert get(row).status_code == 200, row
        told_of = get(f"{row}.json?_extras=foreign_key_tables").json()["foreign_key_tables"]
        assert not {one["other_table"] for one in told_of} & set(WITHHELD)
        for link in [one["link"] for one in told_of]:
            assert get(link).status_code == 200, link


def test_a_key_leads_to_the_row_that_it_names(get: Get) -> None:
    page = get("/history/county?state=GA").text

    assert '<a href="/history/state/GA">Georgia</a>' in page
    keys = {one["name"]: one["foreign_keys"] for one in get("/history.json").json()["tables"]}
    assert {"other_table": "state", "column": "state", "other_column": "postal"} in keys["county"]["outgoing"]
    assert {"other_table": "county", "column": "postal", "other_column": "state"} in keys["state"]["incoming"]


@pytest.mark.parametrize(
    "query",
    ["_next=%ff%00", "_next=a", "_next=99999999999999999999999", "_sort=nosuch", "_sort_desc=nosuch", "_timelimit=x",
     "_where=nosuch", "_where=1+in+(select+1+from+message)", "_sort=kind&_sort_desc=kind"],
)  # fmt: skip
def test_a_wrong_address_is_the_askers_fault(get: Get, query: str) -> None:
    for path in ("/history/event_log", "/history/event_log.json", "/history/event_log.csv"):
        assert get(f"{path}?{query}").status_code == 400, path


# The pages of our own


def ids(database: Path, sql: str) -> list[str]:
    with closing(open_readonly(database)) as connection:
        return [row[0] for row in connection.execute(sql)]


def test_an_agreement_shows_its_values_its_events_and_its_evidence(get: Get, database: Path) -> None:
    (bay,) = ids(database, "select agreement_id from current_agreements where agency like 'Bay %'")
    page = get(f"/agreement/{bay}").text

    assert "<h1>Bay County Sheriff&#39;s Office, Florida: Task Force Model</h1>" in page
    assert "On the last participating list, of 2025-08-04." in page
    assert page.count("Bay County Sherriffs Office") >= 2
    for pattern in (r'href="/event/e-\w{12}"', r'href="/workbook/[0-9a-f]{64}"', r'href="/agency/fl-bay-county-\w+'):
        assert re.search(pattern, page), pattern
    assert f'href="/history/event_log.atom?agreement_id={bay}"' in page


@pytest.mark.parametrize(
    ("page", "column", "view"),
    [
        ("agreement", "agreement_id", "listing_history"),
        ("agreement", "application_id", "current_applications"),
        ("agency", "agency_id", "agencies"),
        ("event", "event_id", "event_log"),
        ("workbook", "workbook_sha256", "sighting_log"),
    ],
)
def test_every_id_has_a_page_and_every_link_on_it_leads_somewhere(
    get: Get, database: Path, page: str, column: str, view: str
) -> None:
    found = ids(database, f"select distinct {column} from {view}")  # noqa: S608
    assert found
    links: set[str] = set()
    for one in found:
        answer = get(f"/{page}/{one}")
        assert answer.status_code == 200, one
        links |= set(re.findall(r'href="(/(?!history/|-/)[^"]+)"', answer.text))
    for link in sorted(links)[:40]:
        assert get(link).status_code == 200, link


def test_what_is_not_there_is_not_found(get: Get) -> None:
    for path in ("/agreement/a-0000000000", "/agency/xx-nobody", "/event/e-0", f"/workbook/{'0' * 64}", "/elsewhere"):
        assert get(path).status_code == 404
    page = get("/agency/nope").text
    assert "No agency of this history has the id nope." in page
    assert '<a href="/">To the front page</a>' in page


def test_an_event_shows_the_rows_that_prove_it(get: Get, database: Path) -> None:
    (event,) = ids(database, "select event_id from event_log where kind = 'renewed'")
    page = get(f"/event/{event}").text

    assert "The row that shows it" in page
    assert "The row before" in page
    assert "2025-06-25" in page
    assert "Signed: 2025-02-26 → 2025-06-25" in page
    assert "<dd>Citrus County (FIPS 12017)</dd>" in page
    assert re.search(
        r'<a href="/workbook/[0-9a-f]{64}" title="[0-9a-f]{64}">participatingAgencies06302025am.xlsx</a>', page
    )


def test_an_end_that_one_list_shows_is_said_to_be_provisional(get: Get, database: Path) -> None:
    query = "select {} from event_log where kind = 'terminated' and status = '{}' order by sequence"
    (agreement,) = ids(database, query.format("agreement_id", "provisional"))
    (event,) = ids(database, query.format("event_id", "provisional"))
    lead = r'<p class="lead">No longer on the participating list since [0-9-]{10}'
    assert re.search(f"{lead}, provisional: one list shows it\\.</p>", get(f"/agreement/{agreement}").text)
    assert "<h1>No longer listed (provisional): Duval " in get(f"/event/{event}").text

    confirmed = ids(database, query.format("agreement_id", "confirmed"))
    assert any(re.search(f"{lead}\\.</p>", get(f"/agreement/{one}").text) for one in confirmed)
    for status, title in (("confirmed", "No longer listed: "), ("retracted", "No longer listed (taken back): ")):
        for one in ids(database, query.format("event_id", status)):
            assert f"<h1>{title}" in get(f"/event/{one}").text


RAW = r"<d[td]>[^<]*_[^<]*<|<th[^>]*>[^<]*_[^<]*<"


def test_the_pages_of_our_own_speak_in_words(get: Get, database: Path) -> None:
    with closing(open_readonly(database)) as connection:
        (sha256,) = connection.execute(
            "select workbook_sha256 from publication_log where verdict = 'rejected'"
        ).fetchone()
    (event,) = ids(database, "select event_id from event_log where kind = 'renewed'")
    (brevard,) = ids(database, "select agreement_id from current_agreements where agency like 'Brevard %'")
    for path in (
        f"/event/{event}",
        f"/agreement/{brevard}",
        "/agency/fl-bay-county-sheriffs-office",
        f"/workbook/{sha256}",
    ):
        page = get(path).text
        assert not re.findall(RAW, page), path
        assert page.count("data-label=") == page.count("<td ")
    assert "vanishing (failed): 20 of 26 would vanish" in get(f"/workbook/{sha256}").text


def test_an_agency_says_until_when_and_its_name_once(get: Get) -> None:
    page = get("/agency/fl-bay-county-sheriffs-office").text
    rows = page.partition("over time</h2>")[2].partition("</table>")[0]

    assert "<dd>Bay County (FIPS 12005)</dd>" in page
    assert rows.count("Bay County Sherriffs Office") == 1
    assert "Bay County Sheriff&#39;s Office" not in rows
    assert re.search(r'class="col-valid_to" data-label="Until">2025-03-10<', rows)
    assert "https://" not in get("/agency/fl-brevard-county-sheriffs-office").text.replace(
        ' href="https://', ""
    ).replace(' title="https://', "")


def test_why_an_agency_has_no_county_is_said(get: Get) -> None:
    assert "none: it serves the whole state" in get("/agency/ga-georgia-department-of-public-safety").text


# Atom


def test_any_question_that_has_events_is_a_feed(get: Get) -> None:
    answer = get("/history/event_log.atom?kind=terminated")
    feed = ET.fromstring(answer.content)  # noqa: S314 - our own
    name = "{http://www.w3.org/2005/Atom}"

    assert answer.headers["content-type"].startswith("application/atom+xml")
    titles = [entry.findtext(f"{name}title") or "" for entry in feed.iter(f"{name}entry")]
    assert len(titles) == 5
    assert titles[0].startswith("No longer listed (provisional): Duval")
    moments = [entry.findtext(f"{name}updated") or "" for entry in feed.iter(f"{name}entry")]
    assert moments == sorted(moments, reverse=True)
    assert "terminated" in (feed.findtext(f"{name}title") or "")


def test_a_feed_keeps_its_id_and_two_questions_have_two(get: Get) -> None:
    def ident(query: str) -> str:
        return re.findall(r"<id>([^<]+)</id>", get(f"/history/event_log.atom?{query}").text)[0]

    assert ident("kind=new&state=GA") == ident("state=GA&kind=new")
    assert ident("kind=new") != ident("kind=terminated")


def test_what_has_no_events_is_no_feed(get: Get) -> None:
    assert ".atom" not in get("/history/agencies").text
    assert get("/history/agencies.atom").status_code == 400
    assert get("/history.atom?sql=select+event_id+from+event_log").status_code == 200


# Hostile names


@pytest.mark.parametrize("path", ["/history/event_log", "/history/agencies", "/history/listings", "/"])
def test_a_script_for_a_name_is_text(hostile: Get, path: str) -> None:
    page = hostile(path).text

    assert "<script>alert" not in page
    assert path == "/" or "&lt;script&gt;alert" in page


def test_a_script_for_a_name_is_text_on_the_pages_of_our_own(hostile: Get) -> None:
    found = told(hostile("/history/event_log.json?_shape=array&agency__contains=script"))
    assert found
    for path in (f"/event/{found[0]['event_id']}", f"/agreement/{found[0]['agreement_id']}",
                 f"/agency/{found[0]['agency_id']}", f"/workbook/{found[0]['workbook_sha256']}"):  # fmt: skip
        page = hostile(path)
        assert page.status_code == 200
        assert "<script>alert" not in page.text
    feed = ET.fromstring(hostile("/history/event_log.atom").content)  # noqa: S314
    assert "<script>alert" not in "".join(node.text or "" for node in feed.iter() if node.tag.endswith("content"))


def test_an_address_for_a_name_is_no_link(hostile: Get) -> None:
    for path in ("/history/event_log", "/history/agencies", "/history?sql=select+agency+from+event_log"):
        page = hostile(path).text
        assert "evil.example" in page
        assert not re.search(r'href="https?://evil', page)


MARKED = (
    "event_log", "event", "listings", "listings?_facet=printed_agency", "current_agreements", "agencies", "agency",
    "agency/3", "listing_history", "version?_labels=on", "agreement", "agency_search", "printed", "printed/5",
)  # fmt: skip


@pytest.mark.parametrize("path", [*(f"/history/{one}" for one in MARKED), "/history?sql=select+*+from+listings"])
def test_marks_that_reorder_or_hide_text_are_not_shown(hostile: Get, path: str) -> None:
    page = hostile(path)

    assert page.status_code == 200
    assert "eciloP" in page.text or not path.startswith(("/history/listings", "/history/printed", "/history/current"))
    assert not re.search("[\u009b\u200b\u202e]", page.text)


def test_a_cell_without_such_marks_keeps_its_lines() -> None:
    assert str(cell("sql", "select 1\n\tfrom <a>\x1b", HOSTS)) == "select 1\n from &lt;a&gt;\ufffd"
    assert str(cell("agency_id", "a\u202e", HOSTS)).count("\ufffd") == 2


@pytest.mark.parametrize(
    ("url", "is_link"),
    [
        ("https://www.ice.gov/doclib/a.pdf", True),
        ("https://ice.gov/a", True),
        ("https://www.ice.gov.evil.example/a", False),
        ("https://notice.gov/a", False),
        ("https://www.ice.gov@evil.example/a", False),
        ("HTTPS://evil.example/", False),
        ("https://[", False),
    ],
)
def test_only_addresses_on_ices_hosts_are_links(url: str, is_link: bool) -> None:
    assert ("href=" in str(cell("moa_url", url, HOSTS))) is is_link


def test_a_cell_like_any_other_is_datasettes() -> None:
    assert cell("agency", "Bay County", HOSTS) is None
    assert cell("agreement_id", None, HOSTS) is None
    assert cell("row", 7, HOSTS) is None
    assert str(cell("agency_id", '"><b>', HOSTS)).startswith('<a href="/agency/%22%3E%3Cb%3E" title="&#34;&gt;')


def test_an_empty_history_can_be_browsed(tmp_path: Path) -> None:
    open_writable(tmp_path / "history.db").close()
    for get in served(tmp_path / "history.db"):
        for path in ("/", "/history", "/history/event_log", "/history/event_log.atom"):
            assert get(path).status_code == 200, path


def test_the_path_of_a_history_may_hold_anything(tmp_path: Path) -> None:
    folder = tmp_path / "a?b#c%20d e"
    folder.mkdir()
    open_writable(folder / "my history.db").close()
    for get in served(folder / "my history.db"):
        assert get("/history/agencies").status_code == 200


def test_the_authorizer_is_on_every_connection(database: Path) -> None:
    datasette = application(database, HOSTS, threads=0)

    async def ask() -> None:
        with pytest.raises(sqlite3.DatabaseError, match=r"prohibited|not authorized"):
            await datasette.get_database("history").execute("select target from message", log_sql_errors=False)

    asyncio.run(ask())
    datasette.get_database("history").close()


def test_a_host_by_another_name_is_refused(database: Path) -> None:
    own = {"localhost": 200, "LOCALHOST:8001": 200, "127.0.0.1:9": 200, "[::1]:8001": 200}
    others = {"evil.example": 400, "localhost.evil.example": 400, "evil.example:8001": 400, "[": 400, "": 400}
    for host, expected in (
        ("127.0.0.1", own | others | {"history.example": 400}),
        ("History.example", own | others | {"history.example:8001": 200}),
        ("0.0.0.0", dict.fromkeys(own | others, 200)),  # noqa: S104
        ("::", dict.fromkeys(own | others, 200)),
    ):
        for get in served(database, host):
            for name, status in expected.items():
                for path in ("/", "/history.json?sql=select+1", "/-/static/app.css"):
                    assert get(path, {"host": name}).status_code == status, (host, name, path)


def test_of_two_hosts_both_are_looked_at() -> None:
    known = names("127.0.0.1")
    assert known is not None
    assert are_known([(b"host", b"localhost"), (b"accept", b"*/*")], known)
    assert not are_known([(b"Host", b"localhost"), (b"HOST", b"evil.example")], known)
