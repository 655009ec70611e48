"""`watch287g serve` as a process: it says where, answers, ends at SIGTERM."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from pipeline.cli.entry import cli
from tests import example


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return example.write(tmp_path_factory.mktemp("example"))


@contextmanager
def serving(database: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and its address."""
    command = [sys.executable, "-m", "pipeline", "--db", str(database), "serve", "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            found = re.match(r"(http://\S+/) shows (.+); Ctrl-C ends it", process.stdout.readline())
            assert found, process.stderr and process.stderr.read()
            assert Path(found[2]) == database
            yield process, found[1]
        finally:
            process.kill()


def test_it_answers_this_machine_alone_and_ends_when_told(database: Path) -> None:
    pytest.importorskip("datasette")
    with serving(database) as (process, address):
        assert address.startswith("http://127.0.0.1:")
        with urllib.request.urlopen(f"{address}agency/ga-hall-county-sheriffs-office", timeout=60) as answer:  # noqa: S310
            assert b"Hall County Sheriff&#39;s Office, Georgia" in answer.read()
        with urllib.request.urlopen(f"{address}watch287g/browse.css", timeout=60) as answer:  # noqa: S310
            assert answer.status == 200
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out, err) == (0, "", "")


@pytest.mark.parametrize(("host", "status"), [("127.0.0.1", 400), ("0.0.0.0", 200)])  # noqa: S104
def test_a_page_elsewhere_cannot_have_a_browser_ask(database: Path, host: str, status: int) -> None:
    pytest.importorskip("datasette")
    with serving(database, "--host", host) as (_, address):
        port = urlsplit(address).port
        for name, expected in (("evil.example", status), (f"localhost:{port}", 200)):
            connection = HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request("GET", "/", headers={"Host": name})
            assert connection.getresponse().status == expected, name
            connection.close()


def test_a_port_that_is_taken_is_a_sentence(database: Path) -> None:
    pytest.importorskip("datasette")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        result = CliRunner().invoke(cli, ["--db", str(database), "serve", "--port", port])
    assert result.exit_code == 1
    assert str(result.exception).startswith(f"cannot listen on 127.0.0.1, port {port}: Address already in use; try")


def test_without_a_history_there_is_nothing_to_serve(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["--db", str(tmp_path / "history.db"), "serve"])
    assert str(result.exception).startswith("there is no history at ")


def test_without_the_extra_a_sentence_names_it(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith(("datasette", "pipeline.publish.browse"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "datasette", None)
    result = CliRunner().invoke(cli, ["--db", str(database), "serve"])
    assert str(result.exception) == "serve needs the extra `browse`: pip install 'watch287g[browse]'"
