"""What the other side said -> one line for the log."""

from pipeline.reports.escaping import printable

LENGTH = 300


def one_line(said: str) -> str:
    """What somebody else's program said, in one printable line of at most 300 characters."""
    line = " ".join(printable(said[: 10 * LENGTH]).split())
    return line if len(line) <= LENGTH else f"{line[: LENGTH - 1]}…"


def of_error(error: BaseException) -> str:
    """Why something failed, as the operating system has it: `Connection refused`; else the kind of error."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, OSError) and found.strerror:
            return one_line(str(found.strerror))
        found = found.__cause__ or found.__context__
    return type(error).__name__
