"""How long the next check waits after checks that failed: ICE's server is asked less often, never not at all."""

from datetime import datetime, timedelta

_FIRST = timedelta(hours=1)


def wait(failures: int, longest: timedelta) -> timedelta:
    """The time from the end of the last check to the next: none after one failure, then twice as long each time.

    Args:
        failures: the checks that have failed since the last that went well.
        longest: the bound that the operator sets.
    """
    if failures < 2:
        return timedelta()
    return min(_FIRST * int(2 ** min(failures - 2, 20)), longest)


def is_due(now: datetime, last_finished: datetime | None, failures: int, longest: timedelta) -> bool:
    """Whether a check that is scheduled for now is to be made; a clock that was set back holds up none."""
    if last_finished is None or last_finished > now:
        return True
    return now - last_finished >= wait(failures, longest)
