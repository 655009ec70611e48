"""Rows and columns as aligned text and as Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.reports import escaping


@dataclass(frozen=True, slots=True)
class Link:
    """A cell that is to be a link; only the program makes one, whatever a text looks like."""

    url: str | None


Row = Sequence[str | int]


def text(rows: Sequence[Row], indent: str = "") -> list[str]:
    """Lines of columns that line up: texts to the left, numbers to the right, no spaces at the ends."""
    shown = [[f"{value:,}" if isinstance(value, int) else escaping.printable(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    lines = []
    for row, values in zip(shown, rows, strict=True):
        cells = [
            f"{cell:>{width}}" if isinstance(value, int) else f"{cell:<{width}}"
            for cell, value, width in zip(row, values, widths, strict=True)
        ]
        lines.append((indent + "  ".join(cells)).rstrip())
    return lines


def markdown(columns: Sequence[str], rows: Sequence[Sequence[str | int | Link]], figures: Sequence[str] = ()) -> str:
    """A table in GitHub's Markdown, with every text escaped; the columns named in `figures` to the right."""
    lines = [_line(columns), _line(["---:" if column in figures else "---" for column in columns])]
    lines += [_line([_markdown_cell(value) for value in row]) for row in rows]
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _markdown_cell(value: str | int | Link) -> str:
    if isinstance(value, Link):
        url = escaping.web_link(value.url)
        return f"[link]({url})" if url else ""
    return f"{value:,}" if isinstance(value, int) else escaping.markdown(value)
