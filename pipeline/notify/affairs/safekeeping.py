"""What the last self-check found: damage to what is kept, no room for more, no backups."""

import sqlite3
from collections.abc import Iterator
from shlex import quote
from typing import NamedTuple

from db.write import instant
from pipeline.notify.affairs.lines import detail, title
from pipeline.reports.messages.content import Affair
from pipeline.safekeeping.self_check import Finding, Recorded, recorded


class _Sort(NamedTuple):
    """How findings of one code are told: what is wrong, what can be done, and with which commands before a check."""

    title: str
    advice: str
    commands: tuple[str, ...] = ()


_RESTORE = "Stop the daemon, put the newest whole backup in place, and look at the disk: damage seldom comes alone."
_FILES = (
    "Restore them from a copy of the archive's folder, under the same names; the hash in a name says what it holds."
)

_SORTS = {
    "database": _Sort("the database is damaged", _RESTORE),
    "references": _Sort("the database contradicts itself", _RESTORE),
    "missing_files": _Sort("raw files are missing from the archive", _FILES, ("watch287g archive verify",)),
    "damaged_files": _Sort("raw files of the archive are damaged", _FILES, ("watch287g archive verify",)),
    "room": _Sort(
        "the disk is nearly full",
        "Checks fail where nothing can be stored. The bound is `watching.free_megabytes` in config.yaml.",
    ),
    "backups": _Sort(
        "there is no backup of the last days", "Is the folder there, and can it be written?", ("watch287g backup",)
    ),
}
"""By code. That no check has gone well (`checks`) is told by the checks themselves."""

_AGAIN = "watch287g self-check"


def damage(connection: sqlite3.Connection) -> Iterator[Affair]:
    """One affair for each sort of finding of the last self-check."""
    last = recorded(connection)
    if last is None:
        return
    for code, sort in _SORTS.items():
        if found := [one for one in last.findings if one.code == code]:
            yield _affair(code, sort, found, last)


def _affair(code: str, sort: _Sort, found: list[Finding], last: Recorded) -> Affair:
    commands = sort.commands
    details = [detail(one.text) for one in found]
    if sort.advice == _RESTORE:
        commands = (f"watch287g restore {quote(last.restore)}",) if last.restore else ()
        details.append(
            detail(f"The newest whole backup: {last.restore}") if last.restore else "There is no whole backup."
        )
    at = instant(last.checked_at)
    return Affair(f"damage:{code}", title(sort.title), (*details, sort.advice), (*commands, _AGAIN), at)
