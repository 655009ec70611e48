"""The days of the demonstration: what the made-up publisher does on each, and what the program is to make of it.

Every kind of day has happened on ICE's page. What is expected stands beside each day, so that the demonstration tells
when the program made something else of it, and the tests are the same days.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

from db.records import Kind, ListName, Outcome, Status
from pipeline.demo.lists import TFM, WSO, Row, first_agreements, sheriff, with_moa
from pipeline.demo.publisher import Publisher


@dataclass(frozen=True, slots=True, order=True)
class Told:
    """What the record says of an agency after a day: an event that was not there before, or has another status now."""

    agency: str
    kind: Kind
    status: Status = Status.CONFIRMED
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Day:
    """A day: what happens, in words and in deed, and what the check must come to."""

    on: date
    title: str
    story: str
    act: Callable[[Publisher, date], None]
    outcome: Outcome
    told: tuple[Told, ...] = ()


def _row(state: str, county: str) -> Row:
    return next(row for row in first_agreements() if (row.state, row.county) == (state, f"{county} County"))


_FIRST = date(2026, 1, 5)
_KERR, _NYE, _FINNEY = _row("TEXAS", "Kerr"), _row("NEVADA", "Nye"), _row("KANSAS", "Finney")
_IOSCO, _GASTON = _row("MICHIGAN", "Iosco"), _row("NORTH CAROLINA", "Gaston")
_REAL = sheriff("TEXAS", "Real", TFM, date(2026, 1, 6))
_ECHOLS = sheriff("GEORGIA", "Echols", WSO, date(2026, 1, 6))
_YOUNG = sheriff("TEXAS", "Young", TFM, date(2026, 2, 6))


def _publish(publisher: Publisher, day: date) -> None:
    publisher.post(day)


def _nothing(_publisher: Publisher, _day: date) -> None:
    pass


def _sign_two(publisher: Publisher, day: date) -> None:
    publisher.agreements += [_REAL, _ECHOLS]
    publisher.applications = [row for row in publisher.applications if row.county not in ("Real County", "Gove County")]
    publisher.post(day)


def _rename(publisher: Publisher, day: date) -> None:
    publisher.replace(_NYE, replace(_NYE, agency="Nye County Detention Center"))
    publisher.post(day, route=287001)


def _correct_a_date(publisher: Publisher, day: date) -> None:
    publisher.replace(_FINNEY, with_moa(replace(_FINNEY, signed=date(2025, 5, 18))))
    publisher.overwrite(day)


def _drop_kerr(publisher: Publisher, day: date) -> None:
    publisher.replace(_KERR)
    publisher.post(day)


def _misspell(publisher: Publisher, day: date) -> None:
    misspelt = replace(_IOSCO, state="MCHIGAN")
    publisher.replace(_IOSCO, misspelt)
    publisher.post(day)
    publisher.replace(misspelt, _IOSCO)


def _swap(publisher: Publisher, day: date) -> None:
    publisher.applications.append(sheriff("MICHIGAN", "Oceana"))
    publisher.post(day, swapped=True)


def _post_the_first_again(publisher: Publisher, _day: date) -> None:
    publisher.link({**publisher.posted, ListName.PARTICIPATING: publisher.on[_FIRST][ListName.PARTICIPATING]})


def _link_the_last_again(publisher: Publisher, _day: date) -> None:
    publisher.link(publisher.on[max(publisher.on)])


def _block(publisher: Publisher, _day: date) -> None:
    publisher.block()


def _unlink(publisher: Publisher, _day: date) -> None:
    publisher.unlink()


def _lose_half(publisher: Publisher, day: date) -> None:
    publisher.post(day, rows=publisher.agreements[: len(publisher.agreements) // 2])


def _drop_gaston(publisher: Publisher, day: date) -> None:
    publisher.replace(_GASTON)
    publisher.post(day)


def _list_gaston_again(publisher: Publisher, day: date) -> None:
    publisher.agreements.append(_GASTON)
    publisher.post(day)


def _sign_young(publisher: Publisher, day: date) -> None:
    publisher.agreements.append(_YOUNG)
    publisher.applications = [row for row in publisher.applications if row.county != "Young County"]
    publisher.post(day)


DAYS = (
    Day(
        _FIRST,
        "the first visit",
        "The page links two lists: 48 agreements in force, and 6 applications. There is nothing yet to compare them"
        " with. They are the baseline, and nobody on them is called new.",
        _publish,
        Outcome.FIRST,
    ),
    Day(
        date(2026, 1, 6),
        "a quiet day",
        "Nothing has been touched, and the server says so: 304 Not Modified, three times. Nothing is downloaded, and"
        " the record notes that both lists still stand.",
        _nothing,
        Outcome.UNCHANGED,
    ),
    Day(
        date(2026, 1, 7),
        "two new agreements",
        "Two rows are new. One of the two agencies had applied before, and its event says since when. A second"
        " application has left the pending list without a new agreement: that is watched, and not told yet.",
        _sign_two,
        Outcome.CHANGED,
        (Told(_REAL.agency, Kind.NEW), Told(_ECHOLS.agency, Kind.NEW)),
    ),
    Day(
        date(2026, 1, 8),
        "another name, and other links",
        "One agency is called otherwise, in the same row, with the same model and date: a comparison by name would"
        " report an end and a beginning. The files stand at addresses without a name in them from today on.",
        _rename,
        Outcome.CHANGED,
        (Told("Nye County Detention Center", Kind.CHANGED, classes=("rename",)),),
    ),
    Day(
        date(2026, 1, 12),
        "a corrected date",
        "A signing date moves by a day as its MOA is posted. The list is overwritten in place: the page answers 304,"
        " and the file's name still says 8 January, so that its other clocks must date it.",
        _correct_a_date,
        Outcome.CHANGED,
        (Told(_FINNEY.agency, Kind.CHANGED, classes=("date correction", "link posted")),),
    ),
    Day(
        date(2026, 1, 13),
        "an agreement is no longer listed",
        "Kerr County's row is gone, and no other row can be its continuation. One list alone may be a slip, so the"
        " termination is provisional.",
        _drop_kerr,
        Outcome.CHANGED,
        (Told(_KERR.agency, Kind.TERMINATED, Status.PROVISIONAL),),
    ),
    Day(
        date(2026, 1, 14),
        "a misspelt state",
        "A row of Michigan says MCHIGAN, and stands elsewhere in the alphabet: read as it was meant, with a remark, and"
        " no event. Kerr County is absent a second time, which confirms the termination.",
        _misspell,
        Outcome.CHANGED,
        (Told(_KERR.agency, Kind.TERMINATED),),
    ),
    Day(
        date(2026, 1, 15),
        "the two lists are swapped",
        "Each list is posted under the other's name. Going by names, every agreement would end today. The columns tell"
        " which list is which, and what is really new is one application.",
        _swap,
        Outcome.CHANGED,
        (Told("Oceana County Sheriff's Office", Kind.PENDING),),
    ),
    Day(
        date(2026, 1, 16),
        "an old list is posted again",
        "In place of the newest list stands the file of 5 January, byte for byte. It is kept and explained, but an"
        " older list never replaces a newer one: it is held, and makes no event.",
        _post_the_first_again,
        Outcome.HELD,
    ),
    Day(
        date(2026, 1, 20),
        "the old list is taken back",
        "The list of 15 January is linked again, so the old one is rejected. Nobody was told anything wrong.",
        _link_the_last_again,
        Outcome.UNCHANGED,
    ),
    Day(
        date(2026, 1, 21),
        "the server refuses",
        "A block page, 403, for everything. It says nothing about any agreement. The check fails, and says so; it does"
        " not try again, and does not pretend to be someone else.",
        _block,
        Outcome.FAILED,
    ),
    Day(
        date(2026, 1, 22),
        "a page without links",
        "The page is back, but links no list. To find nothing is not the same as to find nothing new: a failure again.",
        _unlink,
        Outcome.FAILED_AGAIN,
    ),
    Day(
        date(2026, 1, 23),
        "the links are back",
        "The lists are those of before, and nothing was lost meanwhile.",
        _link_the_last_again,
        Outcome.RECOVERED,
    ),
    Day(
        date(2026, 1, 26),
        "a list that lost its second half",
        "Half of the agreements are missing, by accident or not. Twenty-five sheriffs are not called out on the word of"
        " one file: the list is held until the next one, or a person, bears it out.",
        _lose_half,
        Outcome.HELD,
    ),
    Day(
        date(2026, 1, 27),
        "the whole list, but for one",
        "The next list does not bear it out: the half is rejected, and the whole is compared with the last list that"
        " was accepted. One row is missing.",
        _drop_gaston,
        Outcome.CHANGED,
        (Told(_GASTON.agency, Kind.TERMINATED, Status.PROVISIONAL),),
    ),
    Day(
        date(2026, 1, 28),
        "it was a slip",
        "The row is back. The agreement is reinstated, and yesterday's termination is retracted; it stays in the record"
        " as a thing that was said and taken back.",
        _list_gaston_again,
        Outcome.CHANGED,
        (Told(_GASTON.agency, Kind.REINSTATED), Told(_GASTON.agency, Kind.TERMINATED, Status.RETRACTED)),
    ),
    Day(
        date(2026, 2, 9),
        "a month later",
        "Another application has been signed. The one that left the pending list on 7 January has not come to anything"
        " in a month, and is now called withdrawn.",
        _sign_young,
        Outcome.CHANGED,
        (Told(_YOUNG.agency, Kind.NEW), Told("Gove County Sheriff's Office", Kind.WITHDRAWN)),
    ),
)
