"""What goes out together: at once as it was found, in digests up to their moment, corrections as answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from db import outbox
from db.connect import transaction
from db.outbox import GONE, State
from pipeline.reports.messages.content import MessageKind, Occasion
from tests.db.histories import COUNTIES, Posted, rows
from tests.pipeline.notify.watching import Watched, settings

TWENTY = COUNTIES[:20]
AT_ONCE = settings({"name": "all"})
WEEKLY = settings({"name": "all", "channels": [{"folder": "a", "digest": "friday 12:00 UTC"}]})
"""Lists are posted from Monday, 3 March 2025, on; Friday is 7 March, day 4."""


def posted(day: int, *counties: str, hour: int = 0) -> Posted:
    return Posted("participating", day, rows(*counties), hour=hour)


def events(*messages: object) -> list[str]:
    return [f"{told.event.kind} {told.event.agency.split()[0]}" for message in messages for told in message.told]  # type: ignore[attr-defined]


def test_what_is_found_together_goes_out_together(tmp_path: Path) -> None:
    with Watched(tmp_path, AT_ONCE) as watched:
        watched.see(posted(0, *TWENTY), posted(1, *TWENTY, "Polk", "Pasco"))
        (message,) = watched.compose()
        assert message.kind is MessageKind.ALERT
        assert sorted(events(message)) == ["new Pasco", "new Polk"]
        assert watched.compose() == [message]


def test_a_digest_holds_what_was_noted_before_its_moment(tmp_path: Path) -> None:
    with Watched(tmp_path, WEEKLY) as watched:
        watched.see(posted(0, *TWENTY), posted(1, *TWENTY, "Polk"), posted(2, *TWENTY, "Polk", "Pasco"))
        assert watched.compose() == []
        watched.now = datetime(2025, 3, 7, 11, 59, 59, tzinfo=UTC)
        assert watched.compose() == []
        watched.now = datetime(2025, 3, 7, 12, tzinfo=UTC)
        (digest,) = watched.compose()
        assert (digest.kind, events(digest)) == (MessageKind.DIGEST, ["new Polk", "new Pasco"])
        watched.see(posted(5, *TWENTY, "Polk", "Pasco", "Orange"))
        assert watched.compose() == [digest]
        assert len(watched.compose(timedelta(days=7))) == 2


def test_a_digest_that_was_missed_is_made_up_for_once(tmp_path: Path) -> None:
    with Watched(tmp_path, WEEKLY) as watched:
        watched.see(posted(0, *TWENTY), posted(1, *TWENTY, "Polk"))
        assert len(watched.compose(timedelta(days=30))) == 1
        assert len(watched.compose(timedelta(days=30))) == 1


def test_a_correction_answers_the_message_that_told_it(tmp_path: Path) -> None:
    with Watched(tmp_path, AT_ONCE) as watched:
        watched.see(posted(0, *TWENTY), posted(1, *TWENTY[1:]))
        (alert,) = watched.compose()
        watched.see(posted(3, *TWENTY))
        _, correction = watched.compose()
        assert (correction.kind, correction.replies_to) == (MessageKind.CORRECTION, alert.id)
        assert [told.occasion for told in correction.told] == [Occasion.TOLD, Occasion.RETRACTED]
        assert events(correction) == [f"reinstated {TWENTY[0]}", f"terminated {TWENTY[0]}"]


def test_a_correction_does_not_wait_for_the_next_digest_once_the_first_has_told_it(tmp_path: Path) -> None:
    with Watched(tmp_path, WEEKLY) as watched:
        watched.see(posted(0, *TWENTY), posted(1, *TWENTY[1:]))
        watched.now = datetime(2025, 3, 7, 13, tzinfo=UTC)
        (digest,) = watched.compose()
        watched.see(posted(5, *TWENTY))
        _, correction = watched.compose()
        assert (correction.kind, correction.replies_to) == (MessageKind.CORRECTION, digest.id)


def test_a_digest_tells_a_termination_as_borne_out_if_it_is_by_then(tmp_path: Path) -> None:
    with Watched(tmp_path, WEEKLY) as watched:
        watched.see(posted(0, *TWENTY), posted(1, *TWENTY[1:]), posted(2, *TWENTY[1:], "Polk"))
        watched.now = datetime(2025, 3, 7, 13, tzinfo=UTC)
        (digest,) = watched.compose()
        assert [(told.event.kind, told.event.status, told.occasion) for told in digest.told] == [
            ("terminated", "confirmed", Occasion.TOLD),
            ("new", "confirmed", Occasion.TOLD),
        ]
        assert watched.compose() == [digest]


def test_what_is_taken_back_before_it_was_told_is_told_once_as_taken_back(tmp_path: Path) -> None:
    with Watched(tmp_path, WEEKLY) as watched:
        watched.see(posted(0, *TWENTY), posted(1, *TWENTY[1:]), posted(3, *TWENTY))
        watched.now = datetime(2025, 3, 7, 13, tzinfo=UTC)
        (digest,) = watched.compose()
        assert [(told.event.kind, told.event.status, told.occasion) for told in digest.told] == [
            ("terminated", "retracted", Occasion.TOLD),
            ("reinstated", "confirmed", Occasion.TOLD),
        ]


def test_what_was_never_told_is_not_taken_back(tmp_path: Path) -> None:
    with Watched(tmp_path, AT_ONCE) as watched:
        watched.see(posted(0, *TWENTY), posted(1, *TWENTY[1:]))
        watched.compose()
        (stored,) = outbox.waiting(watched.connection)
        with transaction(watched.connection):
            outbox.finish(watched.connection, stored.id, State.FAILED, "no such mailbox", watched.now)
        watched.see(posted(3, *TWENTY))
        (message,) = watched.compose()
        assert events(message) == [f"reinstated {TWENTY[0]}"]
        assert any(outbox.NEVER_TOLD in line for line in watched.noted())


def test_a_subscriber_who_is_gone_is_told_nothing_and_the_log_says_so(tmp_path: Path) -> None:
    with Watched(tmp_path, AT_ONCE) as watched:
        watched.see(posted(0, *TWENTY), posted(1, *TWENTY, "Polk"))
        watched.settings = settings({"name": "other"})
        assert watched.compose() == []
        assert watched.noted() == ["all/folder told new Polk"]
        assert watched.compose(timedelta(days=8)) == []
        assert watched.noted() == [f"all/folder told new Polk dropped: {GONE}"]


def test_a_subscriber_who_comes_back_within_days_hears_of_it(tmp_path: Path) -> None:
    with Watched(tmp_path, AT_ONCE) as watched:
        watched.see(posted(0, *TWENTY), posted(1, *TWENTY, "Polk"))
        watched.settings = settings({"name": "other"})
        assert watched.compose(timedelta(days=1)) == []
        watched.settings = AT_ONCE
        assert [events(message) for message in watched.compose(timedelta(days=1))] == [["new Polk"]]


def test_the_id_of_a_message_is_made_of_what_it_tells_to_whom(tmp_path: Path) -> None:
    ids = []
    for name in ("one", "two"):
        with Watched(tmp_path / name, AT_ONCE) as watched:
            watched.see(posted(0, *TWENTY), posted(1, *TWENTY, "Polk"))
            ids.append(watched.compose()[0].id)
    assert ids[0] == ids[1]
    assert ids[0].startswith("m-")
    assert len(ids[0]) == 18


def test_a_message_says_where_its_evidence_is(tmp_path: Path) -> None:
    with Watched(tmp_path, AT_ONCE) as watched:
        watched.see(posted(0, *TWENTY), posted(1, *TWENTY[1:], "Polk"))
        (message,) = watched.compose()
        for told in message.told:
            path = watched.folder / "archive" / told.shown_in.archived_at
            assert path.is_file()
            assert told.shown_in.workbook_sha256 in path.name
            assert told.shown_in.seen_at == "2025-03-04T14:00:00Z"
            assert told.previous is not None
            assert told.previous.seen_at == "2025-03-03T14:00:00Z"


def test_a_digest_that_a_clock_ahead_has_noted_is_told_all_the_same(tmp_path: Path) -> None:
    with Watched(tmp_path, WEEKLY) as watched:
        watched.see(posted(0, *TWENTY))
        right, watched.now = watched.now, watched.now + timedelta(days=365)
        watched.see(posted(1, *TWENTY, "Polk"))
        watched.now = right + timedelta(days=7)
        assert [events(message) for message in watched.compose()] == [["new Polk"]]
