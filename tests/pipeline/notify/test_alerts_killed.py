"""Killed at any instant, and with servers that misbehave: nothing is lost, and nothing comes twice without its key."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.demo.server import Answer, Behaviour
from tests.db.histories import COUNTIES, Posted, rows
from tests.pipeline.notify.sinks import MailSink, Mishap, Step, WebSink
from tests.pipeline.notify.sinks import Posted as Request
from tests.pipeline.notify.watching import Watched, settings

ROOT = Path(__file__).parents[3]
SECRET = "whsec_c2VjcmV0LW9mLXRoZS10ZXN0"
INSTANTS = 150
"""Those at which a run may be killed: statements, commits, and points between sending and recording. Fewer than a run
that sends everything has, and enough to send something."""


@pytest.fixture
def mail() -> Iterator[MailSink]:
    with MailSink() as sink:
        yield sink


@pytest.fixture
def web() -> Iterator[WebSink]:
    with WebSink() as sink:
        yield sink


def prepare(folder: Path, mail: MailSink, web: WebSink) -> int:
    """A history with something to tell to four subscribers on five channels each; returns the number of events."""
    subscribers: list[dict[str, Any]] = [
        {
            "name": f"reader-{number}",
            "channels": [
                {"email": f"reader-{number}@example.org"},
                {"webhook": f"{web.url}/{number}", "secret": "${SECRET}"},
                {"folder": "reports", "name": "folder"},
                {"exec": ["/bin/sh", "-c", f"cat > {folder}/exec-{number}-$WATCH287G_MESSAGE_ID"]},
            ],
        }
        for number in range(4)
    ]
    config = {
        "subscribers": subscribers,
        "alerts": {
            "mail": {"host": "127.0.0.1", "port": mail.port, "security": "none", "sender": "alerts@example.org"},
            "delivery": {"pause_seconds": 0, "timeout_seconds": 0.5, "first_retry_seconds": 1, "refusals": 100},
        },
    }
    (folder / "config.yaml").write_text(json.dumps(config), encoding="utf-8")
    noting = [{**one, "channels": [c for c in one["channels"] if "webhook" not in c]} for one in subscribers]
    for one in noting:
        one["channels"].append({"folder": "x", "name": "webhook"})
    twenty = COUNTIES[:20]
    with Watched(folder, settings(*noting, mail=config["alerts"]["mail"])) as watched:
        watched.see(
            Posted("participating", 0, rows(*twenty)),
            Posted("participating", 1, rows(*twenty, "Polk")),
        )
        watched.compose()
        watched.see(Posted("participating", 2, rows(*twenty[1:], "Polk")))
        watched.compose()
        watched.see(Posted("participating", 4, rows(*twenty, "Polk")))
        return len(watched.events())


def kill(folder: Path, seed: int, number: int) -> dict[str, Any]:
    """Send, killed at random instants so many times, then undisturbed."""
    shares = [str(random.Random(seed * 1000 + n).randrange(1000)) for n in range(number)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.pipeline.notify.killing", str(folder), str(INSTANTS), *shares],
        cwd=ROOT,
        env={"SECRET": SECRET, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["waiting"] == 0
    return found


def check_arrivals(folder: Path, mail: MailSink, web: WebSink, found: dict[str, Any], *, may_repeat: int) -> None:
    """Every message arrived on every channel; repetitions have the same key and the same content, and are few."""
    assert {state for _, _, state, _ in found["log"]} == {"sent"}
    by_channel: dict[str, list[str]] = {}
    for ident, target, _, _ in found["log"]:
        by_channel.setdefault(target.split("/")[1], []).append(ident)
    mails = Counter(mailed.key.strip("<>").partition("@")[0] for mailed in mail.received)
    posts = Counter(posted.key for posted in web.received)
    assert set(mails) == set(by_channel["email"])
    assert set(posts) == set(by_channel["webhook"])
    assert len({(posted.key, posted.body) for posted in web.received}) == len(posts)
    assert len({(m.key, m.mail["Subject"]) for m in mail.received}) == len(mails)
    assert sum(mails.values()) - len(mails) + sum(posts.values()) - len(posts) <= may_repeat
    reports = {path.name.split("-", 1)[1].removesuffix(".json") for path in (folder / "reports").glob("*.json")}
    assert reports == set(by_channel["folder"])
    run = {path.name.split("-", 2)[2] for path in folder.glob("exec-*")}
    assert run == set(by_channel["exec"])
    for name in (f"reader-{number}" for number in range(4)):
        told = Counter(
            (event["event_id"], event["occasion"])
            for body in {posted.body for posted in web.received if json.loads(posted.body)["subscriber"] == name}
            for event in json.loads(body)["events"]
        )
        assert set(told.values()) == {1}
        assert Counter(occasion for _, occasion in told) == {"told": 3, "retracted": 1}


@pytest.mark.parametrize("seed", range(3))
def test_killed_at_random_nothing_is_lost_and_repetitions_have_their_key(
    tmp_path: Path, mail: MailSink, web: WebSink, seed: int
) -> None:
    assert prepare(tmp_path, mail, web) == 3
    found = kill(tmp_path, seed, 40)
    assert found["kills"] > 10
    check_arrivals(tmp_path, mail, web, found, may_repeat=4 * found["kills"])


@pytest.mark.parametrize("seed", range(3))
def test_killed_while_servers_refuse_hang_and_fail_nothing_is_lost(
    tmp_path: Path, mail: MailSink, web: WebSink, seed: int
) -> None:
    prepare(tmp_path, mail, web)
    chance = random.Random(seed)
    unsaid: list[object] = []

    def at_mail(step: Step) -> str | Mishap | None:
        said = chance.choice([*[None] * 8, "451 4.7.1 later", "550 5.1.1 no such user", Mishap.drop, Mishap.lose])
        if step.stage == "DATA" and said is Mishap.lose:
            unsaid.append(step)
        return said if step.stage == "DATA" or said is not Mishap.lose else None

    def at_web(posted: Request) -> Answer:
        answer = chance.choice([*[Answer(204)] * 3, Answer(500), Answer(429), Answer(404), RESET, HANG])
        if answer is RESET:
            unsaid.append(posted)
        return answer

    mail.script, web.answer = at_mail, at_web
    found = kill(tmp_path, seed, 12)
    check_arrivals(tmp_path, mail, web, found, may_repeat=4 * found["kills"] + len(unsaid))


RESET = Answer(204, behaviour=Behaviour.reset)
HANG = Answer(204, behaviour=Behaviour.hang)
