"""What the daemon says: one event a line, no secret in any, and a disk that fills is no reason to end."""

from __future__ import annotations

import errno
import json
import logging
import os
import pty
import string
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipeline.daemon import logs
from pipeline.daemon.redaction import Redaction, hidden, in_config
from tests.pipeline.notify.sinks import HOSTILE

SECRET = 'Marked"Secret\\ 1é/&'
ADDRESS = "https://user:pass-word@hc.example/ping/5f1a2b3c-4d5e?key=also-marked"


@pytest.fixture(autouse=True)
def nothing_stays(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    level = logging.getLogger().level
    monkeypatch.setattr(hidden, "_patterns", {})
    yield
    logs.close()
    logging.getLogger().setLevel(level)


def lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines()


def logged(tmp_path: Path, form: str = "text") -> tuple[logs.Log, Path]:
    file = tmp_path / "daemon.log"
    return logs.set_up(form, file), file


def fail(error: Exception, cause: Exception) -> None:
    raise error from cause


def test_an_event_is_a_line_of_keys_and_values(tmp_path: Path) -> None:
    log, file = logged(tmp_path)

    log.info("check", outcome="unchanged", message="nothing has changed", seconds=3.2, held=False, beat=None)

    (line,) = lines(file)
    moment, rest = line.removeprefix("time=").split(" ", 1)
    assert datetime.fromisoformat(moment).tzinfo == UTC
    assert rest == 'level=info event=check outcome=unchanged message="nothing has changed" seconds=3.2 held=false beat='


def test_an_event_is_an_object_of_json(tmp_path: Path) -> None:
    log, file = logged(tmp_path, "json")
    zone = timezone(timedelta(hours=-5))

    log.warning("config not reloaded", seconds=float("nan"), at=datetime(2025, 3, 3, 9, tzinfo=zone), files=["a", "b"])

    fields = json.loads(lines(file)[0])
    assert fields.pop("time").endswith("Z")
    assert fields == {
        "level": "warning",
        "event": "config not reloaded",
        "seconds": "nan",
        "at": "2025-03-03T14:00:00Z",
        "files": "a, b",
    }


def test_without_a_file_it_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("auto", None).info("started", pid=7)

    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.endswith("level=info event=started pid=7\n")


@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": "1"}])
def test_it_is_coloured_on_a_terminal_only_if_that_is_wanted(environment: dict[str, str]) -> None:
    ours, theirs = pty.openpty()
    code = "from pipeline.daemon import logs; logs.set_up('auto', None).info('started', pid=7)"
    given = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | {"TERM": "xterm"} | environment
    subprocess.run([sys.executable, "-c", code], stderr=theirs, env=given, check=True, timeout=60)
    os.close(theirs)

    said = os.read(ours, 4000)

    os.close(ours)
    assert (b"\x1b[" in said) == (not environment)
    assert b"started" in said
    assert said.count(b"\n") == 1


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_whatever_a_text_holds_it_stays_on_its_line(tmp_path: Path, form: str, text: str) -> None:
    log, file = logged(tmp_path, form)

    log.warning(text, agency=text, **{text: 1})

    (line,) = lines(file)
    assert line.isprintable()
    assert len(line) < 3 * len(text) + 200


def test_a_long_value_is_cut(tmp_path: Path) -> None:
    log, file = logged(tmp_path, "json")

    log.info("check", message="x" * 1_000_000)

    assert json.loads(lines(file)[0])["message"] == "x" * 1_999 + "…"


def test_text_that_is_no_unicode_is_written_all_the_same(tmp_path: Path) -> None:
    log, file = logged(tmp_path)

    log.info("check", path="\udce9.xlsx")

    assert "path=\ufffd.xlsx" in lines(file)[0]


def test_a_value_that_cannot_be_shown_does_not_break_who_logs(tmp_path: Path) -> None:
    class Odd:
        def __str__(self) -> str:
            raise RuntimeError("no")

    log, file = logged(tmp_path)

    log.info("check", value=Odd())

    assert "value=Odd" in lines(file)[0]


def test_an_exception_is_told_in_fields(tmp_path: Path) -> None:
    log, file = logged(tmp_path, "json")

    try:
        fail(ValueError("two\nlines"), KeyError("first"))
    except ValueError:
        log.exception("a bug")

    fields = json.loads(lines(file)[0])
    assert (fields["level"], fields["error"], fields["cause"]) == (
        "error",
        "ValueError: two lines",
        "KeyError: 'first'",
    )
    assert fields["at"].startswith(f"{Path(__file__).name}:")
    assert " fail < " in fields["at"]
    assert "exc_info" not in fields


def test_what_the_scheduler_warns_of_is_told_and_its_chatter_is_not(tmp_path: Path) -> None:
    _, file = logged(tmp_path)
    logging.getLogger("apscheduler.scheduler").info("Added job")
    logging.getLogger("apscheduler.executors.default").debug("Looking for jobs to run")

    logging.getLogger("apscheduler.scheduler").warning("Execution of job %s skipped", "check")

    (line,) = lines(file)
    assert line.endswith('level=warning event="Execution of job check skipped" logger=apscheduler.scheduler')


FORMS = {
    "as it is": SECRET,
    "in a text": f"before{SECRET}after",
    "percent-encoded": quote(SECRET, safe=""),
    "percent-encoded in lower case": quote(SECRET).lower(),
    "percent-encoded twice": quote(quote(SECRET, safe=""), safe=""),
    "in a form": quote_plus(SECRET),
    "as JSON": json.dumps({"key": SECRET}),
    "as JSON without ASCII": json.dumps([SECRET], ensure_ascii=False),
    "as Python": repr([SECRET]),
    "at the border of what is cut": "x" * 1_990 + SECRET,
}


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS.keys())
def test_a_secret_stands_in_no_line(tmp_path: Path, form: str, text: str) -> None:
    log, file = logged(tmp_path, form)
    logs.redact([SECRET])

    log.warning(text, message=text, nested={"key": [text]}, error=ValueError(text), **{text: 1})
    try:
        fail(ValueError(text), OSError(text))
    except ValueError:
        log.exception(text)
        logging.getLogger("apscheduler.executors.default").exception('Job "%s" raised an exception', text)
    logging.getLogger("urllib3").warning("Retrying %s", text)

    whole = file.read_text(encoding="utf-8")
    assert whole.count("\n") == 4
    assert "…" in whole
    assert "marked" not in whole.lower()
    assert form == "text" or [json.loads(line) for line in whole.splitlines()]


@given(st.text(alphabet=string.printable + "éß漢\u202e\x00😀", min_size=4, max_size=20))
@settings(deadline=None, derandomize=True)
def test_whatever_a_secret_is_made_of_no_form_of_it_is_shown(secret: str) -> None:
    assume(len(secret.strip()) >= 4)
    redaction = Redaction()
    redaction.add([secret])
    encoded = quote(secret, safe="")
    dumped = json.dumps(secret, ensure_ascii=False)

    for form in (secret, encoded, quote(encoded).lower(), quote_plus(secret), dumped, json.dumps(dumped), repr(secret)):
        assert "…" in redaction(f"before {form} after")


@pytest.mark.parametrize("text", ["\\", " ", '\\"', "% ", "\\n", "\\n\\t ", "%20", "%25"])
def test_no_text_takes_long_to_be_cleared_of_secrets(text: str) -> None:
    redaction = Redaction()
    redaction.add(
        ["a" + " " * 30 + "x", '\\"' * 5 + "x", "% % % % % x", "\n\\n\\n\\\nx", "a \t\n\n\r\v x", "%25%25 %20x"]
    )
    began = time.process_time()

    redaction("a" + text * 500)

    assert time.process_time() - began < 2


def test_of_an_address_no_telling_part_is_shown() -> None:
    redaction = Redaction()
    redaction.add([ADDRESS])

    said = redaction("HTTPS(host='hc.example'): /ping/5f1a2b3c-4d5e?key=also-marked; 5F1A2B3C-4d5e pass-word")

    assert said == "HTTPS(host='hc.example'): …; … …"


def test_secrets_that_overlap_are_hidden_whole() -> None:
    redaction = Redaction()
    redaction.add(["marked-one", "one-two-three"])

    assert redaction("a marked-one-two-three z") == "a … z"


def test_a_number_that_is_a_secret_is_hidden_and_a_short_text_is_not(tmp_path: Path) -> None:
    log, file = logged(tmp_path, "json")
    logs.redact(["12345678", "che", ""])

    log.info("check", chat=12345678, other=1234)

    fields = json.loads(lines(file)[0])
    assert (fields["event"], fields["chat"], fields["other"]) == ("check", "…", 1234)


def test_secrets_that_are_added_do_not_bring_others_back() -> None:
    redaction = Redaction()
    redaction.add(["the-first"])
    redaction.add(["the-other"])

    assert redaction("the-first the-other") == "… …"


def test_the_secrets_of_a_config_are_what_it_takes_from_the_environment_and_what_is_named_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(
        "source: {contact: 'me@example.org'}\n"
        "watching: {heartbeat: 'https://hc.example/${BEAT}'}\n"
        "alerts: {mail: {host: mail.example, password: 12345}}\n"
        "subscribers:\n  - {name: texas, channels: [{webhook: 'https://a.example/x', secret: in-the-file},"
        " {exec: [send, '--key', '${KEY} ${ABSENT}']}]}\n"
    )
    monkeypatch.setenv("BEAT", "marked-beat")
    monkeypatch.setenv("KEY", "marked-key")

    found = set(in_config(file)) - {""}

    addresses = {"https://hc.example/marked-beat", "https://a.example/x"}
    assert found == addresses | {"marked-beat", "marked-key", "marked-key ", "12345", "in-the-file", "send", "--key"}


def test_of_a_config_that_cannot_be_read_there_are_no_secrets(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("a: [")

    assert list(in_config(tmp_path / "config.yaml")) == list(in_config(None)) == []


def test_a_state_of_affairs_is_told_when_it_begins_and_when_it_is_another(tmp_path: Path) -> None:
    log, file = logged(tmp_path)
    once = logs.Once(log)

    said = [once("source", state, "warning", "check", why=state) for state in ("timeout", "timeout", "404", "timeout")]
    once("disk", "timeout", "warning", "disk")
    once.forget("disk")
    once("disk", "timeout", "warning", "disk")

    assert said == [True, False, True, True]
    assert [line.rpartition("why=")[2] for line in lines(file)[:3]] == ["timeout", "404", "timeout"]
    assert len(lines(file)) == 5


def test_a_full_disk_is_told_once_and_raises_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    log = logs.set_up("text", Path("/dev/full"))

    for _ in range(3):
        log.info("check")

    assert capsys.readouterr().err == (
        f"watch287g: the log cannot be written: {os.strerror(errno.ENOSPC)}; what is said meanwhile is lost\n"
    )


def test_a_log_that_could_not_be_written_goes_on_when_it_can(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocked = tmp_path / "logs"
    blocked.write_text("a file where a folder should be")
    log = logs.set_up("text", blocked / "daemon.log")

    log.info("lost")
    log.info("lost too")
    blocked.unlink()
    log.info("written")
    (handler,) = (one for one in logging.getLogger().handlers if isinstance(one, logs._File))
    handler.close()
    (blocked / "daemon.log").rename(tmp_path / "kept.log")
    blocked.rmdir()
    blocked.write_text("a file again")
    log.info("lost again")

    assert [line.rpartition("event=")[2] for line in lines(tmp_path / "kept.log")] == ["written"]
    assert capsys.readouterr().err.count("cannot be written") == 2


def test_half_a_line_left_by_a_full_disk_gets_its_end(tmp_path: Path) -> None:
    (tmp_path / "daemon.log").write_text("time=2025-03-03T14:00:00Z level=in")
    log, file = logged(tmp_path)

    log.info("check")

    half, whole = lines(file)
    assert half.endswith("level=in")
    assert whole.endswith("level=info event=check")


def test_the_file_is_set_aside_when_it_is_full_and_five_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "_FILE_BYTES", 1_000)
    log, file = logged(tmp_path)

    for number in range(200):
        log.info("check", number=number)

    kept = sorted(path.name for path in tmp_path.iterdir())
    assert kept == ["daemon.log", *(f"daemon.log.{number}" for number in range(1, 5))]
    assert all(path.stat().st_size <= 1_000 for path in tmp_path.iterdir())
    assert lines(file)[-1].endswith("number=199")


def test_a_file_that_cannot_be_set_aside_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(logs, "_FILE_BYTES", 200)
    log, file = logged(tmp_path)
    for number in range(1, 5):
        (tmp_path / f"daemon.log.{number}" / "in the way").mkdir(parents=True)

    for number in range(10):
        log.info("check", number=number)

    assert len(lines(file)) == 10
    assert capsys.readouterr().err.count("\n") == 1


def test_a_second_set_up_takes_the_place_of_the_first(tmp_path: Path) -> None:
    logs.set_up("text", tmp_path / "old.log").info("old")
    log = logs.set_up("json", tmp_path / "new.log")

    log.info("new")

    assert len(lines(tmp_path / "old.log")) == len(lines(tmp_path / "new.log")) == 1
    assert sum(type(handler).__module__ == logs.__name__ for handler in logging.getLogger().handlers) == 1


def test_threads_do_not_mix_their_lines(tmp_path: Path) -> None:
    log, file = logged(tmp_path, "json")

    def say() -> None:
        for _ in range(100):
            log.info("check", message="x" * 500)

    threads = [threading.Thread(target=say) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len([json.loads(line) for line in lines(file)]) == 400
