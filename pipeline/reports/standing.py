"""What a list said at a time, as text and as Markdown; `data` has it for programs."""

from pipeline.reports import tables
from pipeline.reports.escaping import markdown as escaped
from pipeline.reports.escaping import printable
from pipeline.reports.record import Standing, Terms
from pipeline.reports.wording import plural

_SCREEN = 20
"""The rows up to which the title stays in sight."""


def title(standing: Standing) -> str:
    """`1,245 agreements on the participating list of 2025-12-12 (participatingAgencies12122025pm.xlsx)`.

    Where the knowledge of a day was asked for, both clocks follow.
    """
    source, number = standing.source, len(standing.listed)
    what = plural(standing.whole, "agreement" if source.list == "participating" else "application")
    some = f"{number:,} of {what}" if number != standing.whole else what
    where = f"the {source.list} list of {source.published_on} ({source.workbook_name})"
    return printable(f"{some} on {where}{_clocks(standing)}")


def _clocks(standing: Standing) -> str:
    if not standing.as_known:
        return ""
    return f", the list in force on {standing.as_of} as this history knew it on {standing.as_known}"


def text(standing: Standing) -> list[str]:
    """Lines: the title, a line an agreement, and the title again where the first may have scrolled away."""
    rows = [(*_cells(item.terms), f"row {item.row}", item.terms.agreement_id) for item in standing.listed]
    end = [title(standing)] if len(rows) > _SCREEN else []
    return [title(standing), *(tables.text(rows) if rows else ["none matches"] if standing.whole else []), *end]


def _cells(terms: Terms) -> list[str]:
    signed = f"signed {terms.signed_on}" if terms.signed_on else ""
    return [terms.state or "??", terms.agency, terms.support_model or "model unknown", signed, terms.county or ""]


def markdown(standing: Standing) -> str:
    """A table with the title above and the workbook's SHA-256 below."""
    columns = ("State", "Agency", "Model", "Signed", "County", "Listed since", "MOA", "Row")
    rows = [
        (
            item.terms.state or "",
            item.terms.agency,
            item.terms.support_model or "",
            item.terms.signed_on or "",
            item.terms.county or "",
            item.first_listed_on,
            tables.Link(item.terms.moa_url),
            str(item.row),
        )
        for item in standing.listed
    ]
    parts = (escaped(title(standing)), tables.markdown(columns, rows), f"SHA-256 `{standing.source.workbook_sha256}`")
    return "\n\n".join(parts)
