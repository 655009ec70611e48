"""The real archive, as checks would have seen it: what subscribers asked for arrives once, and nothing else.

`make replay` does the same over the whole archive, with a subscriber for every state.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.demo.server import Answer, Behaviour
from pipeline.notify.settings import AlertSettings
from pipeline.reports.messages import text
from tests.archive import ARCHIVE, needs_archive
from tests.pipeline.notify.sinks import MailSink, Mishap, Posted, Step, WebSink
from tests.replay import Replay, arrived, differences, manifest, subscribers

STATES = ("FL", "GA", "KS", "TX", "VA", "WY")
UNTIL = datetime(2025, 4, 10, tzinfo=UTC)


@pytest.fixture
def sinks() -> Iterator[tuple[MailSink, WebSink]]:
    with MailSink() as mail, WebSink() as web:
        yield mail, web


@needs_archive
def test_each_event_arrives_once_with_those_who_asked_for_it(
    tmp_path: Path, sinks: tuple[MailSink, WebSink], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    replay = Replay(tmp_path, subscribers(STATES, *sinks))
    for seen in manifest(UNTIL):
        replay.see(seen)
        assert replay.send() == []
    replay.send_all()
    expected, (found, cut) = replay.expected(), arrived(*sinks, replay.returns())
    assert list(differences(expected, found, cut)) == []
    assert {channel: sum(1 for target, _, _ in found if channel in target) for channel in ("email", "webhook")}
    assert len(found) > 500
    replay.connection.close()


@needs_archive
def test_nothing_is_lost_while_servers_refuse_hang_and_fail(
    tmp_path: Path, sinks: tuple[MailSink, WebSink], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    mail, web = sinks
    chance = random.Random(287)

    def at_mail(step: Step) -> str | Mishap | None:
        said = ["451 4.7.1 later", "550 5.1.1 no such user", Mishap.drop]
        return chance.choice([*[None] * 12, *said]) if step.stage in ("RCPT", "DATA") else None

    def at_web(posted: Posted) -> Answer:
        fails = [Answer(500), Answer(429), Answer(404), Answer(503, {"Retry-After": "7200"})]
        late = Answer(204, behaviour=Behaviour.hang)
        return chance.choice([*[Answer(204)] * 20, *fails * 2, *[late] * (chance.random() < 0.1)])

    mail.script, web.answer = at_mail, at_web
    replay = Replay(tmp_path, subscribers(STATES[:3], mail, web, timeout_seconds=0.3, refusals=100))
    for seen in manifest(datetime(2025, 3, 20, tzinfo=UTC)):
        replay.see(seen)
        replay.send()
    replay.send_all()
    expected, (found, cut) = replay.expected(), arrived(mail, web, replay.returns())
    assert list(differences(expected, found, cut)) == []
    assert len(web.requests) > len(web.received)
    replay.connection.close()


@needs_archive
def test_nobody_in_florida_is_told_that_an_agreement_ended_which_goes_on(tmp_path: Path) -> None:
    florida = {"name": "FL", "states": ["FL"], "channels": [{"folder": "sent"}]}
    replay = Replay(tmp_path, AlertSettings.model_validate({"subscribers": [florida]}))
    for seen in manifest():
        replay.note(seen)
    replay.derive()
    replay.send(after=timedelta(days=400))
    told = [one for message in replay.messages() for one in message.told if one.event.kind == "terminated"]
    with (ARCHIVE.parent / "labels" / "participating.csv").open(encoding="utf-8", newline="") as lines:
        goes_on = {
            (row["previous_sha256"], int(row["previous_row"]))
            for row in csv.DictReader(lines)
            if row["previous_row"] and row["expected"] != "terminated" and row["firm"] == "1"
        }
    ended = [(one.event.previous_workbook_sha256, one.event.previous_row) for one in told]
    assert len(ended) > 3
    assert not goes_on.intersection(ended)
    ends = [" ".join(text.render(message, None).split()) for message in replay.messages() if _ends(message)]
    assert all("ICE no longer lists it; ICE gives no reason." in words for words in ends)
    replay.connection.close()


def _ends(message: object) -> bool:
    told = message.told  # type: ignore[attr-defined]
    return any(one.event.kind == "terminated" and one.event.related_agreement_id is None for one in told)
