"""What is to be told to whom: sayings, the notices that bring them to targets, and the messages that notices go out in.

A saying is kept as it was when it was said (JSON), so that what people were told stays known. A notice brings a saying
to a target, once. Notices are open until they are put into a message or dropped; a message is tried until it is sent,
has finally failed, or is dropped. Functions that write are called inside a transaction of their caller.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from db.read import moment
from db.write import instant

TOLD, CONFIRMED, RETRACTED = "told", "confirmed", "retracted"
"""The occasions on which events are told: found; borne out, to those who waited for that; taken back."""

BEGUN, OVER = "begun", "over"
"""The occasions on which operators hear of a state of affairs."""

GONE = "the subscriber or channel is no longer in config.yaml"
NEVER_TOLD = "what it takes back was never told"
WAITS = "waits until a second list bears it out"
UNREAD = "waits until the subscriber's entry in config.yaml is right"
"""Kept for a subscriber as such, whose channels and filters cannot be read."""


class State(StrEnum):
    """How far a message is. `sending` outlives its process only where that was killed."""

    DUE = "due"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Notice:
    """A saying on its way to a target; `content` is JSON. `message_id` and `dropped` are None while it is open."""

    id: int
    target: str
    about: str
    turn: int
    occasion: str
    content: str
    noted_at: datetime
    message_id: int | None


@dataclass(frozen=True, slots=True)
class Draft:
    """A message to be put together: the ids of its notices, and the internal id of the message that it answers."""

    public_id: str
    target: str
    kind: str
    notices: tuple[int, ...]
    replies_to: int | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """A message and how far it is; times are aware, in UTC.

    `perhaps` says that an attempt ended without an answer: the other side may have it.
    """

    id: int
    public_id: str
    target: str
    kind: str
    replies_to: int | None
    made_at: datetime
    state: State
    attempts: int
    refusals: int
    perhaps: bool
    first_attempt_at: datetime | None
    next_attempt_at: datetime | None
    finished_at: datetime | None
    answer: str


def say(connection: sqlite3.Connection, about: str, occasion: str, content: str, now: datetime) -> int:
    """Keep a saying; what has been said about the same thing on the same occasion stays. Returns its id.

    What was taken back and stands again has a new turn: it is told, and can be taken back, once more.
    """
    turn, taken_back = connection.execute(
        "select coalesce(max(turn), 1), coalesce(max(case when occasion = 'retracted' then turn end), 0)"
        " from saying where about = ?",
        (about,),
    ).fetchone()
    if occasion == TOLD and taken_back == turn:
        turn += 1
    connection.execute(
        "insert into saying (about, turn, occasion, content, said_at) values (?, ?, ?, ?, ?) on conflict do nothing",
        (about, turn, occasion, content, instant(now)),
    )
    row = connection.execute(
        "select id from saying where about = ? and turn = ? and occasion = ?", (about, turn, occasion)
    ).fetchone()
    return int(row[0])


def note(
    connection: sqlite3.Connection, saying: int, targets: Iterable[str], now: datetime, dropped: str | None = None
) -> None:
    """Let targets hear of a saying, each once, whatever happens; or keep that they do not, and why."""
    connection.executemany(
        "insert into notice (target, saying_id, noted_at, dropped) values (?, ?, ?, ?) on conflict do nothing",
        [(target, saying, instant(now), dropped) for target in targets],
    )


_NOTICES = (
    "select n.id, n.target, s.about, s.turn, s.occasion, s.content, n.noted_at, n.message_id"
    " from notice n join saying s on s.id = n.saying_id "
)


def _notice(row: Sequence[object]) -> Notice:
    ident, target, about, turn, occasion, content, noted_at, message = row
    return Notice(ident, target, about, turn, occasion, content, moment(str(noted_at)), message)  # type: ignore[arg-type]


def open_notices(connection: sqlite3.Connection) -> list[Notice]:
    """The notices that are in no message yet, target by target, in the order in which they were noted."""
    rows = connection.execute(f"{_NOTICES}where n.message_id is null and n.dropped is null order by n.target, n.id")
    return [_notice(row) for row in rows]


def notices_of(connection: sqlite3.Connection, message_id: int) -> list[Notice]:
    """The notices of a message, in the order in which they were noted."""
    return [
        _notice(row) for row in connection.execute(f"{_NOTICES}where n.message_id = ? order by n.id", (message_id,))
    ]


_LAST_TURN = "(select max(turn) from saying l where l.about = s.about)"


def targets_told(connection: sqlite3.Connection, about: str, occasions: Sequence[str]) -> list[str]:
    """The targets that have been told, or will be, on one of these occasions of the last turn."""
    marks = ", ".join("?" * len(occasions))
    rows = connection.execute(
        f"select distinct n.target from notice n join saying s on s.id = n.saying_id"  # noqa: S608 - constants
        f" where s.about = ? and s.occasion in ({marks}) and n.dropped is null and s.turn = {_LAST_TURN}"
        " order by n.target",
        (about, *occasions),
    )
    return [row[0] for row in rows]


def targets_of_last_turn(connection: sqlite3.Connection, about: str) -> tuple[list[str], list[str]]:
    """The targets that something was for, in its last turn: those that were to hear at once, and those that wait."""
    rows = connection.execute(
        "select n.target, min(coalesce(n.dropped, '') = ?) from notice n"  # noqa: S608 - constants
        " join saying s on s.id = n.saying_id"
        f" where s.about = ? and s.turn = {_LAST_TURN} and coalesce(n.dropped, '') not in (?, ?) group by n.target",
        (WAITS, about, GONE, UNREAD),
    ).fetchall()
    return [t for t, waits in rows if not waits], [t for t, waits in rows if waits]


def message_that_told(connection: sqlite3.Connection, about: str, turn: int, target: str) -> int | None:
    """The internal id of the first message that told a target of something; None while that is still open."""
    row = connection.execute(
        "select min(n.message_id) from notice n join saying s on s.id = n.saying_id"
        " where s.about = ? and s.turn = ? and n.target = ? and s.occasion in ('told', 'confirmed', 'begun')",
        (about, turn, target),
    ).fetchone()
    return int(row[0]) if row and row[0] is not None else None


def no_longer_standing(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """What was told and no confirmed or provisional event says any more, and has not been taken back: (id, content)."""
    rows = connection.execute(
        "select s.about, s.content from saying s where s.occasion in ('told', 'confirmed')"  # noqa: S608 - constants
        " and not exists (select 1 from event e where e.public_id = s.about and e.status <> 'retracted')"
        " and not exists (select 1 from saying r where r.about = s.about and r.turn = s.turn"
        f" and r.occasion = 'retracted') and s.turn = {_LAST_TURN} order by s.id"
    )
    return list(dict(tuple(row) for row in rows).items())


def standing_again(connection: sqlite3.Connection) -> list[str]:
    """What was taken back and stands all the same: the ids of the events."""
    rows = connection.execute(
        "select s.about from saying s join event e on e.public_id = s.about and e.status <> 'retracted'"  # noqa: S608
        f" where s.occasion = 'retracted' and s.turn = {_LAST_TURN} order by s.id"
    )
    return [row[0] for row in rows]


def borne_out(connection: sqlite3.Connection) -> list[tuple[str, list[str]]]:
    """The events that are confirmed now, with the targets that have waited for that."""
    rows = connection.execute(
        "select s.about, n.target from notice n join saying s on s.id = n.saying_id"  # noqa: S608 - constants
        " join event e on e.public_id = s.about and e.status = 'confirmed'"
        f" where n.dropped = ? and s.turn = {_LAST_TURN} order by s.id, n.target",
        (WAITS,),
    ).fetchall()
    found: dict[str, list[str]] = {}
    for about, target in rows:
        found.setdefault(about, []).append(target)
    return list(found.items())


def no_longer_waits(connection: sqlite3.Connection, about: str) -> None:
    """What targets have waited for has come."""
    connection.execute(
        "update notice set dropped = 'told when it was borne out' where dropped = ?"
        " and saying_id in (select id from saying where about = ?)",
        (WAITS, about),
    )


def unread(connection: sqlite3.Connection) -> dict[str, list[str]]:
    """What is kept for subscribers whose entries were wrong when it was found: the ids of the events, by name."""
    rows = connection.execute(
        "select n.target, s.about from notice n join saying s on s.id = n.saying_id where n.dropped = ? order by n.id",
        (UNREAD,),
    )
    found: dict[str, list[str]] = {}
    for name, about in rows:
        found.setdefault(name, []).append(about)
    return found


def forget_unread(connection: sqlite3.Connection, name: str) -> None:
    """What was kept for a subscriber has been noted for its channels."""
    connection.execute("delete from notice where dropped = ? and target = ?", (UNREAD, name))


def drop_unread(connection: sqlite3.Connection, before: datetime) -> None:
    """Keep nothing any longer that was noted before then for subscribers who have gone."""
    connection.execute(
        "update notice set dropped = ? where dropped = ? and noted_at < ?", (GONE, UNREAD, instant(before))
    )


def drop_open(connection: sqlite3.Connection, about: str, reason: str) -> None:
    """Let nobody hear of it who has not been told yet."""
    connection.execute(
        "update notice set dropped = ? where message_id is null and dropped is null"
        " and saying_id in (select id from saying where about = ?)",
        (reason, about),
    )


def drop(connection: sqlite3.Connection, notices: Iterable[int], reason: str) -> None:
    """Let some notices go out in no message, and keep why."""
    connection.executemany("update notice set dropped = ? where id = ?", [(reason, ident) for ident in notices])


def rename(connection: sqlite3.Connection, old: str, new: str) -> None:
    """An event that was told is known by another id now; what the new id was said with stays."""
    connection.execute("update or ignore saying set about = ? where about = ?", (new, old))


def let_go(connection: sqlite3.Connection, message_id: int) -> None:
    """A message is dropped: what it would have told for the first time is open again."""
    connection.execute(
        "update notice set message_id = null where message_id = ?"
        " and saying_id in (select id from saying where occasion = 'told')",
        (message_id,),
    )


def add_message(connection: sqlite3.Connection, draft: Draft, now: datetime) -> None:
    """Put notices into a message that is due at once."""
    cursor = connection.execute(
        "insert into message (public_id, target, kind, replies_to, made_at, state, next_attempt_at)"
        " values (?, ?, ?, ?, ?, 'due', ?)",
        (draft.public_id, draft.target, draft.kind, draft.replies_to, instant(now), instant(now)),
    )
    connection.executemany(
        "update notice set message_id = ? where id = ?", [(cursor.lastrowid, ident) for ident in draft.notices]
    )


_MESSAGES = (
    "select id, public_id, target, kind, replies_to, made_at, state, attempts, refusals, perhaps, first_attempt_at,"
    " next_attempt_at, finished_at, answer from message "
)


def _stored(row: Sequence[str]) -> Stored:
    ident, public_id, target, kind, replies_to, made, state, attempts, refusals, perhaps, *times, answer = row
    first_at, next_at, finished_at = (moment(text) if text else None for text in times)
    return Stored(
        int(ident),
        public_id,
        target,
        kind,
        int(replies_to) if replies_to is not None else None,
        moment(made),
        State(state),
        int(attempts),
        int(refusals),
        bool(perhaps),
        first_at,
        next_at,
        finished_at,
        answer,
    )


def waiting(connection: sqlite3.Connection) -> list[Stored]:
    """The messages that are yet to be sent, target by target, in their order."""
    rows = connection.execute(f"{_MESSAGES}where state in ('due', 'sending') order by target, id")
    return [_stored(row) for row in rows]


def message(connection: sqlite3.Connection, ident: int) -> Stored:
    """A message by its internal id.

    Raises:
        LookupError: there is none.
    """
    row = connection.execute(f"{_MESSAGES}where id = ?", (ident,)).fetchone()
    if row is None:
        raise LookupError(ident)
    return _stored(row)


def log(connection: sqlite3.Connection, states: Sequence[str] = (), limit: int = 50) -> Iterator[Stored]:
    """The newest messages, of all states or of some, the newest first."""
    where = f"where state in ({', '.join('?' * len(states))}) " if states else ""
    yield from map(_stored, connection.execute(f"{_MESSAGES}{where}order by id desc limit ?", (*states, limit)))


def begin(connection: sqlite3.Connection, ident: int, now: datetime) -> None:
    """An attempt begins: from here on the message may have been sent."""
    connection.execute(
        "update message set state = 'sending', attempts = attempts + 1,"
        " first_attempt_at = min(coalesce(first_attempt_at, ?), ?) where id = ?",
        (instant(now), instant(now), ident),
    )


def finish(connection: sqlite3.Connection, ident: int, state: State, answer: str, now: datetime) -> None:
    """The message is sent, has finally failed, or is dropped."""
    connection.execute(
        "update message set state = ?, answer = ?, finished_at = ?, next_attempt_at = null where id = ?",
        (state, answer, instant(now), ident),
    )


def postpone(
    connection: sqlite3.Connection,
    ident: int,
    answer: str,
    until: datetime,
    *,
    refused: bool = False,
    perhaps: bool = False,
) -> None:
    """The message was not taken, or perhaps it was, and is to be tried again."""
    connection.execute(
        "update message set state = 'due', answer = ?, next_attempt_at = ?, refusals = refusals + ?,"
        " perhaps = max(perhaps, ?) where id = ?",
        (answer, instant(until), refused, perhaps, ident),
    )


def cut_short(connection: sqlite3.Connection) -> list[Stored]:
    """The messages whose attempt was cut short, sent or not."""
    return [_stored(row) for row in connection.execute(f"{_MESSAGES}where state = 'sending' order by id")]


def never_told(stored: Stored) -> bool:
    """Whether it is certain that nobody has the message, nor will."""
    return stored.state in (State.FAILED, State.DROPPED) and not stored.perhaps


def retry(connection: sqlite3.Connection, ident: int, now: datetime) -> None:
    """Try a message that has finally failed as if it were new, and then what takes it back."""
    connection.execute(
        "update message set state = 'due', attempts = 0, refusals = 0, first_attempt_at = null, finished_at = null,"
        " next_attempt_at = ? where id = ? or (replies_to = ? and state = 'dropped')",
        (instant(now), ident, ident),
    )
    connection.execute(
        "update notice set dropped = null where dropped = ? and exists (select 1 from notice o"
        " join saying t on t.id = o.saying_id join saying r on r.about = t.about"
        " where o.message_id = ? and o.target = notice.target and r.id = notice.saying_id"
        " and not exists (select 1 from saying l where l.about = r.about and l.turn > r.turn))",
        (NEVER_TOLD, ident),
    )


def has_arrived(connection: sqlite3.Connection, target: str, since: datetime) -> bool:
    """Whether something has been delivered to a target since then."""
    row = connection.execute(
        "select 1 from message where target = ? and state = 'sent' and finished_at >= ? limit 1",
        (target, instant(since)),
    ).fetchone()
    return row is not None


def failing_targets(connection: sqlite3.Connection) -> list[Stored]:
    """For each target to which nothing has been delivered since a message finally failed: the first such message."""
    rows = connection.execute(  # the text is a constant of ours
        f"{_MESSAGES}where id in (select min(m.id) from message m where m.state = 'failed' and m.id >"  # noqa: S608
        " coalesce((select max(s.id) from message s where s.target = m.target and s.state = 'sent'), 0)"
        " group by m.target) order by target"
    )
    return [_stored(row) for row in rows]


def numbers(connection: sqlite3.Connection) -> dict[str, int]:
    """How many notices wait for their digest (`open`), how many messages are `due`, and how many have `failed`."""
    row = connection.execute(
        "select (select count(*) from notice where message_id is null and dropped is null),"
        " (select count(*) from message where state in ('due', 'sending')),"
        " (select count(*) from message where state = 'failed')"
    ).fetchone()
    return {"open": row[0], "due": row[1], "failed": row[2]}


@dataclass(frozen=True, slots=True)
class AffairRow:
    """A state of affairs as stored: when it last began, when operators were last told that it had, and whether it is
    over; `saying` is JSON.
    """

    key: str
    begun_at: datetime
    told_at: datetime | None
    saying: str
    over: bool


def affairs(connection: sqlite3.Connection) -> dict[str, AffairRow]:
    """Every state of affairs that has been, by its key."""
    rows = connection.execute("select key, begun_at, told_at, saying, over from affair order by key")
    return {r[0]: AffairRow(r[0], moment(r[1]), moment(r[2]) if r[2] else None, r[3], bool(r[4])) for r in rows}


def set_affair(connection: sqlite3.Connection, row: AffairRow) -> None:
    """Keep a state of affairs."""
    told_at = instant(row.told_at) if row.told_at else None
    connection.execute(
        "insert into affair (key, begun_at, told_at, saying, over) values (?, ?, ?, ?, ?) on conflict (key) do update"
        " set begun_at = excluded.begun_at, told_at = excluded.told_at, saying = excluded.saying, over = excluded.over",
        (row.key, instant(row.begun_at), told_at, row.saying, row.over),
    )
