"""A command: what it is given, what its end means, and that it cannot hold anything up."""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from pathlib import Path

import pytest

from pipeline.notify.channels.attempt import NotSent, Refused, Unavailable
from pipeline.notify.channels.command import PASSED_ON, CommandChannel
from pipeline.notify.settings import Delivery
from tests.pipeline.notify.sinks import HOSTILE, message

SAVE = "import json, os, sys; json.dump([sys.stdin.read(), dict(os.environ), os.getcwd()], open('got.json', 'w'))"


def command(folder: Path, *arguments: str, seconds: float = 10.0) -> CommandChannel:
    return CommandChannel(arguments, folder, Delivery(timeout_seconds=seconds))


def python(folder: Path, script: str, seconds: float = 10.0) -> CommandChannel:
    return command(folder, sys.executable, "-c", script, seconds=seconds)


def shell(folder: Path, script: str, seconds: float = 10.0) -> CommandChannel:
    return command(folder, "sh", "-c", script, seconds=seconds)


def test_the_message_comes_on_standard_input_and_its_key_in_the_environment(tmp_path: Path) -> None:
    said = python(tmp_path, SAVE).send(message())

    document, environment, folder = json.loads((tmp_path / "got.json").read_text())
    assert said.endswith("ended with 0")
    assert json.loads(document)["message_id"] == environment["WATCH287G_MESSAGE_ID"] == "m-0123456789abcdef"
    assert environment["WATCH287G_SUBJECT"] == "287(g): 1 terminated in Texas"
    assert environment["WATCH287G_KIND"] == "alert"
    assert Path(folder) == tmp_path


def test_our_secrets_are_not_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", "secret")

    python(tmp_path, SAVE).send(message())

    _, environment, _ = json.loads((tmp_path / "got.json").read_text())
    ours = {name for name in environment if name.startswith("WATCH287G_")}
    assert set(environment) - ours <= {*PASSED_ON, "LC_CTYPE", "PWD", "SHLVL", "_"}
    assert environment["PATH"] == os.environ["PATH"]


@pytest.mark.parametrize(
    ("script", "error", "says"),
    [
        ("exit 1", Refused, "sh ended with 1"),
        ("echo no >&2; echo 'no such desk' >&2; exit 3", Refused, "sh ended with 3: no such desk"),
        ("printf 'red \\033[31m' >&2; exit 64", Refused, "sh ended with 64: red"),
        ("echo busy >&2; exit 75", Unavailable, "sh asks to be tried later: busy"),
        ("kill -9 $$", Unavailable, "sh was ended by SIGKILL"),
        ("exit 127", Refused, "sh ended with 127"),
    ],
)
def test_how_it_ends_says_what_becomes_of_the_message(
    tmp_path: Path, script: str, error: type[NotSent], says: str
) -> None:
    with pytest.raises(error) as caught:
        shell(tmp_path, script).send(message())

    assert str(caught.value).startswith(says)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("program", ["no-such-program-287g", "./no-such-file", "/"])
def test_a_program_that_is_not_there_is_told(tmp_path: Path, program: str) -> None:
    with pytest.raises(Refused, match="could not be started: "):
        command(tmp_path, program).send(message())


def test_an_argument_that_no_program_can_get_is_told(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="null byte"):
        command(tmp_path, "echo", "a\0b").send(message())


def test_a_command_that_takes_too_long_is_ended_with_what_it_started(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"sh did not end within 0\.5 seconds"):
        shell(tmp_path, "echo $$ > pid; sleep 60 & echo $! > child; wait", seconds=0.5).send(message())

    for name in ("pid", "child"):
        assert is_gone(int((tmp_path / name).read_text()))


def is_gone(process: int, seconds: float = 5.0) -> bool:
    """Whether a process has ended, or is but waiting for its parent to notice."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False


def test_a_command_that_does_not_read_is_not_waited_for(tmp_path: Path) -> None:
    shell(tmp_path, "exec <&-; exit 0").send(message(*(f"Agency {number}" for number in range(400))))


def test_a_command_that_prints_without_end_fills_no_memory(tmp_path: Path) -> None:
    flood = "import sys\nfor _ in range(300): sys.stdout.write('o' * 100_000); sys.stderr.write('e' * 100_000)\n"

    with pytest.raises(Refused) as caught:
        python(tmp_path, f"{flood}sys.exit(1)").send(message())

    assert len(str(caught.value)) < 400


def test_what_a_command_leaves_running_is_left_alone(tmp_path: Path) -> None:
    started = time.monotonic()

    shell(tmp_path, "sleep 2 & exit 0").send(message())

    assert time.monotonic() - started < 1.9


def test_nothing_is_left_open(tmp_path: Path) -> None:
    shell(tmp_path, "exit 0").send(message())

    gc.collect()  # an unclosed file would be a warning, and warnings are errors


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_name_is_data_and_no_command(tmp_path: Path, name: str) -> None:
    python(tmp_path, SAVE).send(message(name))

    document, environment, _ = json.loads((tmp_path / "got.json").read_text())
    assert json.loads(document)["events"][0]["agency"] == name
    assert environment["WATCH287G_SUBJECT"].isprintable()
    assert [path.name for path in tmp_path.iterdir()] == ["got.json"]
