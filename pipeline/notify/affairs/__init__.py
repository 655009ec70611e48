"""The states of affairs that need a person, computed from the history: what operators hear of, each once.

An affair's `key` stays the same for as long as the state lasts, and is another for another state; its first word is the
sort. Nothing here is remembered: who has been told what is for the caller to keep.
"""

import sqlite3
from datetime import datetime

from pipeline.notify.affairs import checks, findings, lists, page, safekeeping
from pipeline.reports.messages.content import Affair

_ENDS_ARE_NEWS = frozenset({"stopped", "failing", "not_linked", "damage"})
"""The sorts that end by themselves. The others end because somebody decided, or a later list did."""


def current(
    connection: sqlite3.Connection,
    now: datetime,
    stale_hours: float,
    no_new_list_days: float | None,
    after_failures: int = 1,
) -> list[Affair]:
    """What needs a person now, the most serious first; `now` is aware, in UTC.

    Args:
        stale_hours: how old the last check may be.
        no_new_list_days: how long a list may stand; None for what the history says is unusual (see `lists`).
        after_failures: how many checks in a row must fail in a way that may mend itself.
    """
    return [
        *safekeeping.damage(connection),
        *checks.stopped(connection, now, stale_hours),
        *checks.failing(connection, after_failures),
        *lists.held(connection),
        *lists.overdue(connection, no_new_list_days),
        *page.unlinked(connection),
        *page.new_shapes(connection),
        *findings.odd(connection),
    ]


def ends_are_news(key: str) -> bool:
    """Whether the operators should hear that the affair with this key is over."""
    return key.partition(":")[0] in _ENDS_ARE_NEWS
