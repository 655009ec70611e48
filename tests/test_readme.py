"""Every command and query of the README and of docs/ is executed, in its order, in a folder of its own."""

import re
import shlex
import sqlite3
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pydantic import BaseModel

from pipeline.cli.entry import cli
from pipeline.config import load
from pipeline.corrections_file import load_corrections
from pipeline.demo.server import Answer, Site
from pipeline.notify.channels.webhook import signature
from pipeline.notify.settings import load as load_alerts
from tests import workbooks
from tests.db.histories import COUNTIES, Posted, rows, sheriff, write_folder

REPOSITORY = Path(__file__).parent.parent
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
DOCS = "\n".join(path.read_text(encoding="utf-8") for path in sorted((REPOSITORY / "docs").glob("*.md")))
DONE, CHANGED, HELD = 0, 3, 4
ENDLESS = ("run", "serve")
"""Commands that go on until they are told to end; they have tests of their own."""


def _blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def _commands() -> list[list[str]]:
    shown = f"{README}\n{DOCS}"
    lines = [line for block in _blocks("console", shown) for line in block.splitlines()]
    lines = [line for line in lines if line.startswith("$ watch287g ")] + [
        line for block in _blocks("console") for line in block.splitlines() if line.startswith("$ ")
    ]
    inline = [f"$ {text}" for text in re.findall(r"`(watch287g [a-z][^`]*)`", shown) if "..." not in text]
    words = [shlex.split(line.removeprefix("$ "), comments=True)[1:] for line in dict.fromkeys([*lines, *inline])]
    return [one for one in words if one[0] not in ENDLESS]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a config for a local site, and one with workbooks from elsewhere."""
    here = tmp_path_factory.mktemp("readme")
    listed = rows(*COUNTIES[:20])
    write_folder(
        here / "FOLDER",
        [
            Posted("pending", 0, [sheriff("Polk")]),
            Posted("participating", 0, listed),
            Posted("participating", 2, [*listed[1:], sheriff("Polk")]),
            Posted("participating", 4, [*listed[1:], sheriff("Polk")]),
        ],
    )
    with Site() as site:
        name = "participatingAgencies03172025am.xlsx"
        page = f'<a href="/doclib/{name}">View 287(g) Participating Agencies</a>'
        site.pages["/287g"] = Answer(headers={"Content-Type": "text/html"}, body=page.encode())
        modified = datetime(2025, 3, 17, 12, tzinfo=UTC)
        kerr = {"STATE": "TEXAS", "LAW ENFORCEMENT AGENCY": "Kerr County Sheriff's Office", "COUNTY": "Kerr County"}
        site.pages[f"/doclib/{name}"] = Answer(body=workbooks.participating([*listed, kerr], modified=modified))
        source = f"{{page: '{site.url}/287g', allowed_hosts: [127.0.0.1], delay_seconds: 0, backoff_base_seconds: 0}}"
        subscribers = "[{name: NAME, channels: [{folder: reports}]}]"
        (here / "config.yaml").write_text(f"source: {source}\nsubscribers: {subscribers}\n", encoding="utf-8")
        tracker = "State,Agency Name,Program,Signed\nFL,Baker County Sheriff,TFM,2025-02-26\n"
        (here / "tracker.csv").write_text(tracker, encoding="utf-8")
        yield here


@pytest.fixture(scope="module")
def history(folder: Path) -> Path:
    """The history in that folder; made here where the commands were run by another process of the suite."""
    if not (folder / "data" / "history.db").exists():
        made = CliRunner().invoke(cli, ["--config", str(folder / "config.yaml"), "backfill", str(folder / "FOLDER")])
        assert made.exit_code == DONE, made.exception
    return folder / "data" / "history.db"


def test_every_command_of_the_readme_works_in_its_order(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    commands = _commands()
    assert len(commands) > 15
    for words in commands:
        if "EVENT" in words:
            with sqlite3.connect(folder / "data" / "history.db") as connection:
                (event,) = connection.execute("select event_id from event_log where kind = 'terminated'").fetchone()
            connection.close()
            words[words.index("EVENT")] = event
        result = CliRunner().invoke(cli, words)
        assert result.exit_code in (DONE, CHANGED, HELD), (words, result.output, result.exception)


def test_every_query_of_the_readme_works(history: Path) -> None:
    connection = sqlite3.connect(history)
    shown = [*_blocks("sql"), *_blocks("sql", DOCS)]
    queries = [query for block in shown for query in block.split(";\n") if query.strip()]
    assert len(queries) >= 50
    for query in queries:
        connection.execute(query, defaultdict(str)).fetchall()
    connection.close()


def test_the_programs_of_the_docs_work(history: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(history.parents[1])
    programs = _blocks("python", DOCS)
    assert len(programs) >= 2
    for program in programs:
        shown: dict[str, Any] = {}
        exec(program, shown)  # noqa: S102 - they are our own docs
        for value in shown.values():
            if isinstance(value, sqlite3.Connection):
                value.close()


def test_the_subscribers_of_the_readme_are_valid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWSROOM_SLACK", "slack://a/b/c")
    (tmp_path / "config.yaml").write_text(_blocks("yaml")[0], encoding="utf-8")
    (subscriber,) = load_alerts(tmp_path / "config.yaml").subscribers
    assert [channel.kind for channel in subscriber.channels] == ["email", "apprise"]


def test_the_check_of_a_webhook_that_the_readme_shows_accepts_ours_and_no_other() -> None:
    (block,) = _blocks("python")
    shown: dict[str, Any] = {}
    exec(block, shown)  # noqa: S102 - it is our own README
    for secret in ("whsec_c2VjcmV0LW9mLXRoZS1uZXdzcm9vbQ==", "plain words"):
        now = int(time.time())
        headers = {"webhook-id": "m-1", "webhook-timestamp": str(now)}
        headers["webhook-signature"] = signature(secret, "m-1", now, b"{}")
        assert shown["is_genuine"](secret, headers, b"{}")
        assert not shown["is_genuine"](secret, headers, b"{ }")
        assert not shown["is_genuine"]("another", headers, b"{}")
        assert not shown["is_genuine"](secret, headers | {"webhook-timestamp": str(now - 600)}, b"{}")


def test_the_corrections_of_the_readme_are_valid(tmp_path: Path) -> None:
    _, block = _blocks("yaml")
    (tmp_path / "corrections.yaml").write_text(block, encoding="utf-8")
    assert len(list(load_corrections(tmp_path / "corrections.yaml"))) == 3


def test_the_config_that_ships_holds_every_key_and_its_default() -> None:
    shipped = load(REPOSITORY / "config.yaml")
    assert shipped == load(None)
    text = (REPOSITORY / "config.yaml").read_text(encoding="utf-8")
    for part in (value for _, value in shipped if isinstance(value, BaseModel)):
        for key in type(part).model_fields:
            assert re.search(rf"^  {key}:", text, re.MULTILINE), key
    alerts = load_alerts(REPOSITORY / "config.yaml")
    assert alerts == load_alerts(None)
    for name, part in alerts.alerts:
        assert re.search(rf"^  {name}:", text, re.MULTILINE), name
        for key in type(part).model_fields if isinstance(part, BaseModel) else ():
            assert re.search(rf"^    {key}:", text, re.MULTILINE), key


def test_the_subscribers_that_the_config_shows_are_valid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWSROOM_SLACK", "slack://a/b/c")
    monkeypatch.setenv("WEBHOOK_SECRET", "whsec_c2VjcmV0")
    text = (REPOSITORY / "config.yaml").read_text(encoding="utf-8")
    shown = re.findall(r"^#( (?:- |  ).*)$", text.partition("subscribers: []")[2], re.MULTILINE)
    mail = "alerts: {mail: {host: localhost, sender: alerts@example.org}}"
    (tmp_path / "config.yaml").write_text("\n".join(["subscribers:", *shown, mail]), encoding="utf-8")
    subscribers = load_alerts(tmp_path / "config.yaml").subscribers
    assert [one.name for one in subscribers] == ["texas-coalition", "newsroom", "researcher", "database", "website"]
