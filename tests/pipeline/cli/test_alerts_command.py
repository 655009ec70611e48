"""`alerts`: a watchdog group's alerts from the first check to the last retry, as the commands do them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.cli import entry
from pipeline.demo.server import Answer, Site
from tests import workbooks
from tests.db.histories import COUNTIES, rows
from tests.pipeline.notify.sinks import MailSink, WebSink

Command = Callable[..., tuple[int, str, str]]
TWENTY = COUNTIES[:20]
CONFIG = """
source: {{page: '{site}/287g', allowed_hosts: [127.0.0.1], delay_seconds: 0, retries: 0}}
alerts:
  mail: {{host: 127.0.0.1, port: {mail}, security: none, sender: "alerts@example.org"}}
  delivery: {{first_retry_seconds: 0, longest_retry_seconds: 0, pause_seconds: 0, timeout_seconds: 5}}
  feeds: {{folder: feeds}}
  operators: {{channels: [{{folder: operators}}]}}
subscribers:
  - name: florida
    states: [FL]
    channels: [{{email: reader@example.org}}, {{folder: reports}}]
  - name: newsroom
    channels: [{{webhook: "{web}/hook", secret: "${{SECRET}}"}}]
  - name: texas
    states: [TX]
    channels: [{{folder: texas}}]
"""


class World:
    """ICE's page, a mail server and a web server on localhost, and the program in a folder with subscribers."""

    def __init__(self, folder: Path, site: Site, mail: MailSink, web: WebSink, command: Command) -> None:
        self.folder, self.site, self.mail, self.web, self.command = folder, site, mail, web, command
        config = CONFIG.format(site=site.url, mail=mail.port, web=web.url)
        (folder / "config.yaml").write_text(config, encoding="utf-8")

    def post(self, day: int, *counties: str) -> None:
        """ICE posts a list on a day in March 2025."""
        name = f"participatingAgencies03{day:02}2025am.xlsx"
        body = workbooks.participating(rows(*counties), modified=datetime(2025, 3, day, 12, tzinfo=UTC))
        page = f'<a href="/doclib/{name}">View 287(g) Participating Agencies</a>'
        self.site.pages["/287g"] = Answer(headers={"Content-Type": "text/html"}, body=page.encode())
        self.site.pages[f"/doclib/{name}"] = Answer(body=body)

    def files(self, folder: str) -> list[str]:
        path = self.folder / folder
        return sorted(one.suffix for one in path.iterdir() if not one.name.startswith(".")) if path.is_dir() else []


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[World]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SECRET", "whsec_c2VjcmV0LW9mLXRoZS1uZXdzcm9vbQ==")

    def command(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["watch287g", *arguments])
        with pytest.raises(SystemExit) as left:
            sys.exit(entry.main())
        return int(left.value.code or 0), *capsys.readouterr()

    with Site() as site, MailSink() as mail, WebSink() as web:
        yield World(tmp_path, site, mail, web, command)


@pytest.fixture
def changed(world: World) -> World:
    """After a first check, and another that found one new agreement."""
    world.post(3, *TWENTY)
    world.command("check")
    world.post(4, *TWENTY, "Polk")
    return world


def test_the_first_check_tells_nobody(world: World) -> None:
    world.post(3, *TWENTY)
    code, out, err = world.command("check")
    assert (code, "alerts" in out, err) == (0, False, "")
    assert (world.mail.received, world.web.received, world.files("reports")) == ([], [], [])


def test_a_check_that_finds_a_change_tells_those_who_asked(changed: World) -> None:
    code, out, err = changed.command("check")
    assert (code, err) == (3, "")
    assert "alerts: 3 messages sent" in out
    (mailed,) = changed.mail.received
    assert mailed.mail["Subject"] == "287(g): 1 new in Florida"
    assert "Polk County Sheriff's Office" in mailed.mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    (posted,) = changed.web.received
    assert [event["agency"] for event in json.loads(posted.body)["events"]] == ["Polk County Sheriff's Office"]
    assert changed.files("reports") == [".html", ".json", ".md"]
    assert changed.files("texas") == []
    assert "Polk" in (changed.folder / "feeds" / "fl.atom").read_text(encoding="utf-8")


def test_the_next_check_sends_nothing_again(changed: World) -> None:
    changed.command("check")
    code, out, _ = changed.command("check")
    assert (code, "alerts" in out) == (0, False)
    assert changed.command("alerts", "send") == (0, "0 messages sent\n", "")
    assert len(changed.mail.received) == 1


def test_a_check_can_leave_sending_to_the_other_command(changed: World) -> None:
    changed.command("check", "--no-send")
    assert changed.mail.received == []
    assert changed.command("alerts", "send") == (0, "3 messages sent\n", "")
    assert len(changed.mail.received) == 1


def test_a_preview_shows_what_waits_and_sends_nothing(changed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    changed.command("check", "--no-send")
    monkeypatch.delenv("SECRET")
    code, out, err = changed.command("alerts", "preview")
    assert (code, err) == (0, "")
    assert "To: florida/email/reader@example.org, florida/folder (due now)" in out
    assert "Subject: 287(g): 1 new in Florida" in out
    assert out.count("Polk County Sheriff's Office") == 2
    assert "To: newsroom/webhook" not in changed.command("alerts", "preview", "--subscriber", "florida")[1]
    assert changed.mail.received == []


def test_a_preview_of_a_time_past_needs_no_outbox(changed: World) -> None:
    changed.command("check")
    code, out, _ = changed.command("alerts", "preview", "--since", "2025-03-01", "--subscriber", "florida")
    assert (code, "Polk County Sheriff's Office" in out) == (0, True)
    assert changed.command("alerts", "preview")[1] == "nothing waits to be sent\n"
    assert "nothing since" in changed.command("alerts", "preview", "--since", "2025-03-01", "--subscriber", "texas")[1]


def test_a_preview_as_files(changed: World) -> None:
    changed.command("check", "--no-send")
    code, out, _ = changed.command("alerts", "preview", "--folder", "looked-at")
    assert (code, out) == (0, "2 messages in looked-at\n")
    assert changed.files("looked-at") == [".html", ".html", ".json", ".json", ".txt", ".txt"]


def test_a_test_message_goes_to_each_channel_of_a_subscriber(world: World) -> None:
    code, out, err = world.command("alerts", "test", "florida")
    assert (code, err) == (0, "")
    assert out.startswith("florida/email/reader@example.org: sent: 250 OK")
    assert world.mail.received[0].mail["Subject"].startswith("[TEST]")
    assert world.files("reports") == [".html", ".json", ".md"]


def test_a_test_message_has_the_newest_event_that_the_subscriber_asked_for(changed: World) -> None:
    changed.command("check")
    changed.command("alerts", "test", "florida")
    assert changed.mail.received[1].mail["Subject"] == "[TEST] 287(g): 1 new in Florida"


def test_a_test_that_a_channel_does_not_take_says_why(world: World) -> None:
    world.web.answer = lambda _: Answer(404)
    code, _, err = world.command("alerts", "test", "newsroom")
    assert code == 1
    assert "newsroom/webhook: not sent:" in err
    assert "404" in err
    code, _, err = world.command("alerts", "test", "nobody")
    assert (code, "there are: florida, newsroom, texas" in err) == (1, True)


def test_what_was_not_taken_is_tried_again_and_then_failed_until_somebody_retries(changed: World) -> None:
    changed.web.answer = lambda _: Answer(410)
    code, out, err = changed.command("check")
    assert code == 3
    assert "not sent: newsroom/webhook" in err
    assert "alerts         1 message due" in changed.command("status")[1]
    for _ in range(3):
        assert changed.command("alerts", "send")[0] in (0, 1)
    code, out, _ = changed.command("alerts", "log", "--failed")
    assert "newsroom/webhook" in out
    assert "3 attempts" in out
    assert len(changed.files("operators")) == 3
    changed.web.answer = lambda _: Answer(204)
    message = json.loads(changed.command("alerts", "log", "--failed", "--json")[1])["messages"][0]["public_id"]
    assert changed.command("alerts", "retry", message[:8])[0] == 0
    assert changed.command("alerts", "send")[1].startswith("1 message sent")
    assert [posted.key for posted in changed.web.received] == [message]
    assert changed.command("alerts", "retry", "--all") == (1, "", "watch287g: no message has finally failed\n")


def test_the_log_tells_of_every_message(changed: World) -> None:
    changed.command("check")
    code, out, _ = changed.command("alerts", "log")
    assert code == 0
    assert all(target in out for target in ("florida/email/reader@example.org", "florida/folder", "newsroom/webhook"))
    assert out.endswith("0 notices wait for a digest, 0 messages are due, 0 have finally failed\n")


def test_a_secret_that_is_missing_loses_nothing(changed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "whsec_c2VjcmV0LW9mLXRoZS1uZXdzcm9vbQ=="
    monkeypatch.delenv("SECRET")
    code, _, err = changed.command("check")
    assert (code, "newsroom/webhook: the environment has no variable SECRET" in err) == (3, True)
    assert (len(changed.mail.received), len(changed.files("operators"))) == (1, 3)
    monkeypatch.setenv("SECRET", secret)
    assert changed.command("alerts", "send") == (0, "2 messages sent\n", "")
    assert (len(changed.web.received), len(changed.files("operators"))) == (1, 6)


def edit(world: World, before: str, after: str) -> None:
    """Somebody edits config.yaml."""
    config = world.folder / "config.yaml"
    text = config.read_text(encoding="utf-8")
    assert before in text
    config.write_text(text.replace(before, after), encoding="utf-8")


def operators_heard(world: World) -> list[str]:
    """What the operators have had, message by message."""
    return [one.read_text(encoding="utf-8") for one in (world.folder / "operators").glob("*.md")]


def test_a_typo_in_one_subscriber_silences_none_of_the_others(changed: World) -> None:
    edit(changed, "states: [FL]", "states: [Floirda]")
    for _ in range(2):
        code, _, err = changed.command("check")
        assert (code, err.count("\n"), "subscribers.florida.states.1: is no state" in err) == (2, 1, True)
    assert (len(changed.web.received), len(changed.mail.received), changed.files("reports")) == (1, 0, [])
    (heard,) = operators_heard(changed)
    assert "The entry of subscriber florida in config.yaml is wrong" in heard
    assert "subscribers.florida.states.1: is no state" in heard


def test_as_long_as_a_subscriber_is_wrong_every_command_says_so(changed: World) -> None:
    edit(changed, "states: [FL]", "states: [Floirda]")
    changed.command("check")
    code, out, _ = changed.command("status")
    assert (code, "NONE can be sent to subscriber florida: " in out) == (1, True)
    for command in (("alerts", "send"), ("alerts", "test", "florida"), ("config", "check"), ("alerts", "preview")):
        code, _, err = changed.command(*command)
        assert (code, "subscribers.florida.states.1: is no state" in err) == (2, True), command
    assert changed.command("alerts", "test", "newsroom")[0] == 0


def test_a_subscriber_whose_typo_is_mended_hears_of_what_was_found_meanwhile(changed: World) -> None:
    edit(changed, "states: [FL]", "states: [Floirda]")
    edit(changed, "states: [TX]", "states: [Texsa]")
    changed.command("check")
    assert len(operators_heard(changed)) == 2
    edit(changed, "states: [Floirda]", "states: [FL]")
    assert changed.command("alerts", "send")[:2] == (2, "3 messages sent\n")
    assert [mailed.mail["Subject"] for mailed in changed.mail.received] == ["287(g): 1 new in Florida"]
    edit(changed, "states: [Texsa]", "states: [TX]")
    assert changed.command("alerts", "send") == (0, "1 message sent\n", "")
    assert changed.files("texas") == []
    assert len([one for one in operators_heard(changed) if "over: The entry of subscriber" in one]) == 2
    assert changed.command("alerts", "send") == (0, "0 messages sent\n", "")
    assert changed.command("check")[0] == 0


def test_what_was_due_before_the_typo_waits_for_it_to_be_mended(changed: World) -> None:
    changed.command("check", "--no-send")
    edit(changed, "states: [FL]", "sates: [FL]")
    assert changed.command("alerts", "send")[1] == "2 messages sent\n"
    edit(changed, "sates: [FL]", "states: [FL]")
    assert changed.command("alerts", "send")[1] == "3 messages sent\n"
    assert len(changed.mail.received) == 1


def test_of_a_subscriber_whose_name_cannot_be_read_the_operators_hear_what_that_means(changed: World) -> None:
    edit(changed, "name: florida", "nmae: florida")
    assert changed.command("check")[0] == 2
    (heard,) = operators_heard(changed)
    assert "The entry of subscriber no. 1 in config.yaml is wrong" in heard
    assert "found meanwhile is not noted for it" in heard
    assert len(changed.web.received) == 1


def test_a_secret_that_cannot_be_one_lets_only_its_subscriber_wait(
    changed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "whsec_c2VjcmV0LW9mLXRoZS1uZXdzcm9vbQ=="
    monkeypatch.setenv("SECRET", " ")
    code, _, err = changed.command("check")
    assert (code, "subscribers.newsroom.channels.1.secret: is empty in the environment" in err) == (3, True)
    assert (len(changed.mail.received), len(operators_heard(changed))) == (1, 1)
    monkeypatch.setenv("SECRET", secret)
    assert changed.command("alerts", "send") == (0, "2 messages sent\n", "")
    assert len(changed.web.received) == 1


def test_a_mistake_in_what_all_share_is_found_before_ice_is_asked(changed: World) -> None:
    edit(changed, "pause_seconds", "puase_seconds")
    asked = len(changed.site.asked_for("/287g"))
    code, _, err = changed.command("check")
    assert (code, "did you mean pause_seconds?" in err) == (2, True)
    assert len(changed.site.asked_for("/287g")) == asked


def test_operators_hear_once_that_checks_fail_and_once_that_they_go_well(changed: World) -> None:
    changed.command("check")
    page = changed.site.pages["/287g"]
    changed.site.pages["/287g"] = Answer(403)
    for _ in range(3):
        assert changed.command("check")[0] == 1
    assert len(changed.files("operators")) == 3
    changed.site.pages["/287g"] = page
    changed.command("check")
    changed.command("check")
    assert len(changed.files("operators")) == 6


def test_operators_hear_of_a_held_list_with_the_commands_that_decide_it(world: World) -> None:
    world.post(3, *COUNTIES[:40])
    world.command("check")
    world.post(4, *TWENTY)
    assert world.command("check")[0] == 4
    (path,) = (world.folder / "operators").glob("*.md")
    text = path.read_text(encoding="utf-8")
    assert "watch287g held release" in text
    assert "watch287g held reject" in text
    assert world.mail.received == []
    assert world.command("held", "release", "--why", "ICE says so")[0] == 0
    world.command("alerts", "send")
    assert world.mail.received[0].mail["Subject"] == "287(g): 20 terminated in Florida"


def test_the_config_check_names_the_subscribers(world: World) -> None:
    code, out, _ = world.command("config", "check")
    assert code == 0
    assert "subscriber:  florida, FL: email, folder" in out
    assert "whsec" not in out
