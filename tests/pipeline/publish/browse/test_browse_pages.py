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

pytest.importorskip("datasette")

from db.connect import HistoryError, open_readonly, open_writable
from db.schema import dictionary, relations
from pipeline.publish.browse.application import application
from pipeline.publish.browse.cells import cell
from pipeline.publish.browse.metadata import FACETS, NEWEST_FIRST, SHOWN, WITHHELD, address, is_view
from pipeline.publish.browse.recipes import Recipe, recipes
from pipeline.publish.browse.values import values
from tests import example
from tests.db.histories import History, Posted, rows, sheriff

HOSTS = ("ice.gov",)
HOSTILE = "<script>alert('1')</script> & \"Bay\" County Sheriff's Office"
ELSEWHERE = "https://evil.example/ Police"
NAMES = (HOSTILE, ELSEWHERE)
Get = Callable[[str], httpx.Response]


def served(database: Path) -> Iterator[Get]:
    """Asks a Datasette over that history, in this thread."""
    datasette = application(database, HOSTS, threads=0)
    with asyncio.Runner() as runner:
        yield lambda path: runner.run(datasette.client.get(path))
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
    """A history in which ICE's list holds a script and an address for names."""
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
    for sql in ("select * from {}", "select (select count(rowid) from {}) from state", "select 1 from {} where rowid"):
        assert get(f"/history.json?sql={quote(sql.format(name))}").status_code == 400
    assert name not in {table["name"] for table in get("/history.json").json()["tables"]}


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
    assert titles[0].startswith("Terminated (provisional): Duval")
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
