"""A mistake in one entry of `subscribers`: whose it is, what it is, and that the others are read all the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from db import outbox
from db.connect import transaction
from pipeline.notify import sending
from pipeline.notify.entries import load_right
from pipeline.notify.settings import AlertSettings, Mistaken
from pipeline.settings_file import ConfigError
from tests.db.histories import COUNTIES, Posted, rows
from tests.pipeline.notify.watching import Recorder, Watched, settings

RIGHT = "{name: right, channels: [{folder: a}]}"
TWENTY = COUNTIES[:20]
DAY = timedelta(days=1)


def read(folder: Path, *entries: str, alerts: str = "{}") -> AlertSettings:
    text = "\n".join([f"alerts: {alerts}", "subscribers:", *(f"  - {entry}" for entry in entries)])
    (folder / "config.yaml").write_text(text, encoding="utf-8")
    return load_right(folder / "config.yaml")


@pytest.mark.parametrize(
    ("entry", "name", "says"),
    [
        ("{name: w, states: [Texsa], channels: [{folder: b}]}", "w", "subscribers.w.states.1: is no state"),
        ("{name: w, channels: [{email: a@b.org}]}", "w", "alerts.mail.host is not set, and a channel is an email"),
        ("{name: w, channels: [{folder: '${NOT_THERE}'}]}", "w", "the environment has no variable NOT_THERE"),
        ("{name: w}", "w", "subscribers.w.channels: is missing"),
        ("{nmae: w, channels: [{folder: b}]}", None, "subscribers.2.nmae is no known key; did you mean name?"),
        ("{name: operators, channels: [{folder: b}]}", None, "`operators` stand under `alerts`"),
        ("{name: '${NOT_THERE}', channels: [{folder: b}]}", None, "subscribers.2.name: the environment has no"),
        ("just a word", None, "subscribers.2: must hold keys and values"),
        ("", None, "subscribers.2: must hold keys and values"),
    ],
)
def test_an_entry_that_is_wrong_is_named_and_left_out(tmp_path: Path, entry: str, name: str | None, says: str) -> None:
    found = read(tmp_path, RIGHT, entry, RIGHT.replace("right", "too"))
    assert [one.name for one in found.subscribers] == ["right", "too"]
    (wrong,) = found.mistaken
    assert (wrong.number, wrong.name) == (2, name)
    assert any(says in sentence for sentence in wrong.sentences)


def test_two_that_share_a_name_both_wait_since_what_waits_may_be_for_either(tmp_path: Path) -> None:
    found = read(tmp_path, "{name: Same, channels: [{folder: b}]}", RIGHT, "{name: same, channels: [{folder: c}]}")
    assert [one.name for one in found.subscribers] == ["right"]
    assert [one.name for one in found.mistaken] == ["Same", "same"]


def test_a_mistake_outside_of_the_entries_is_one_for_all(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"alerts\.delivery\.refusals"):
        read(tmp_path, RIGHT, "{name: w}", alerts="{delivery: {refusals: 0}}")
    (tmp_path / "config.yaml").write_text("subscribers: {name: texas}", encoding="utf-8")
    with pytest.raises(ConfigError, match="subscribers: must be a list"):
        load_right(tmp_path / "config.yaml")


def test_what_is_right_has_no_mistakes(tmp_path: Path) -> None:
    assert read(tmp_path, RIGHT).mistaken == ()
    assert load_right(None) == AlertSettings()


def test_a_secret_in_the_wrong_place_is_not_repeated(tmp_path: Path) -> None:
    found = read(tmp_path, "{name: w, states: [s3cr3t], channels: [{apprise: 'slack://s3cr3t'}]}")
    assert "s3cr3t" not in found.mistake


FLORIDA = settings({"name": "florida", "states": ["FL"]}, {"name": "other"})
WRONG = settings({"name": "other"}).model_copy(
    update={"mistaken": (Mistaken(number=1, name="florida", sentences=("config.yaml: it is wrong",)),)}
)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    """After a check that has found a new agreement while the entry of `florida` was wrong."""
    with Watched(tmp_path, WRONG) as watched:
        watched.see(Posted("participating", 0, rows(*TWENTY)), Posted("participating", 1, rows(*TWENTY, "Polk")))
        yield watched


def prepare(watched: Watched, used: AlertSettings) -> list[str]:
    """Put what is due into messages; returns to whom there are messages now."""
    watched.settings = used
    sending.prepare(watched.connection, used, 26.0, watched.now)
    return [stored.target for stored in outbox.waiting(watched.connection)]


def test_what_waits_for_a_wrong_entry_waits_however_long(watched: Watched) -> None:
    assert prepare(watched, WRONG) == ["other/folder"]
    watched.now += 30 * DAY
    prepare(watched, WRONG)
    assert prepare(watched, FLORIDA) == ["florida/folder", "other/folder"]
    assert outbox.unread(watched.connection) == {}


def test_a_message_that_is_put_together_already_waits_however_long(watched: Watched) -> None:
    prepare(watched, FLORIDA)
    watched.settings, watched.now = WRONG, watched.now + 30 * DAY
    sent = sending.Delivering(
        watched.connection,
        {"other/folder": Recorder()},
        WRONG.alerts.delivery,
        sending.addresses(WRONG),
        lambda: watched.now,
        complete=False,
    ).run()
    assert sent.sent == 1
    assert prepare(watched, FLORIDA) == ["florida/folder"]


def test_what_waits_is_dropped_a_week_after_the_entry_has_gone(watched: Watched) -> None:
    gone = settings({"name": "other"})
    watched.now += 8 * DAY
    prepare(watched, gone)
    assert prepare(watched, FLORIDA) == ["other/folder"]


def test_what_turns_out_to_be_wrong_before_the_entry_is_mended_is_never_told(watched: Watched) -> None:
    with transaction(watched.connection):
        watched.connection.execute("update event set status = 'retracted' where kind = 'new'")
    assert prepare(watched, FLORIDA) == ["other/folder"]
    assert outbox.unread(watched.connection) == {}


def test_an_entry_that_is_wrong_again_and_again_is_told_nothing_twice(watched: Watched) -> None:
    prepare(watched, FLORIDA)
    for _ in range(2):
        prepare(watched, WRONG)
        assert prepare(watched, FLORIDA) == ["florida/folder", "other/folder"]
