"""The history as a fold: a ledger and the next publication -> what is decided, and the next ledger.

A publication that fails a required check is held whole. Which of its changes depend on what is suspect cannot be told
apart by the rows alone (a list that lost half its rows has also lost the evidence by which the other half is
identified), so nothing of it is told until it is borne out; the other list goes on by itself.
"""

from dataclasses import replace

from db.records import CheckResult, ListName, Publication, Step, Verdict
from pipeline.reading.normalize import Reading
from pipeline.tracking.checks import Totals, check, holds, not_the_other
from pipeline.tracking.corrections import Corrections
from pipeline.tracking.ledger import Held, Ledger
from pipeline.tracking.policy import Policy
from pipeline.tracking.track import Draft, track

_CAN_BE_BORNE_OUT = frozenset({"vanishing", "changed"})


def advance(
    ledger: Ledger,
    publication: Publication,
    reading: Reading,
    policy: Policy,
    corrections: Corrections,
    operator: Verdict | None = None,
    why: str = "",
    totals: Totals | None = None,
) -> tuple[Ledger, list[Step]]:
    """Decide about a publication, and about the one that was held before it.

    Args:
        operator: an operator's verdict on this publication (`accepted` or `rejected`), which overrules the checks.
        why: the operator's reason.
        totals: what the page printed beside it.

    Returns:
        The next ledger, and a step for each publication decided, in the order of their sighting.
    """
    reading = corrections.fix(publication, reading)
    held = ledger.held.get(publication.list)
    if held is not None and held.publication == publication:
        held = None
    why_not = corrections.ignored(publication) or (
        f"rejected by an operator: {why}" if operator is Verdict.REJECTED else None
    )
    if why_not is not None:
        _, results = _try(ledger, publication, reading, policy, corrections, totals)
        return ledger, [_step(publication, reading, Verdict.REJECTED, why_not, results)]
    draft, results = _try(ledger, publication, reading, policy, corrections, totals)
    if not holds(results) or operator is Verdict.ACCEPTED:
        reason = f"released by an operator: {why}" if holds(results) else "all required checks passed"
        steps = [_superseded(held, f"not borne out by {publication.file_name}")] if held else []
        return _release(draft.ledger, publication), [
            *steps,
            _accept(publication, reading, results, draft, reason),
        ]
    if held is not None and (both := _borne_out(ledger, held, publication, reading, policy, corrections, totals)):
        return both
    steps = [_superseded(held, f"replaced by {publication.file_name} before it was borne out")] if held else []
    reason = "; ".join(f"{r.name}: {r.note}" for r in results if r.required and not r.ok)
    steps.append(_step(publication, reading, Verdict.HELD, reason, results))
    return replace(ledger, held={**ledger.held, publication.list: Held(publication, reading)}), steps


def undone(ledger: Ledger, publication: Publication) -> tuple[Ledger, list[Step]]:
    """The list in force was seen again: ICE has taken back the one that was held."""
    held = ledger.held.get(publication.list)
    if held is None:
        return ledger, []
    return _release(ledger, publication), [_superseded(held, f"{publication.file_name} was posted again in its place")]


def _try(
    ledger: Ledger,
    publication: Publication,
    reading: Reading,
    policy: Policy,
    corrections: Corrections,
    totals: Totals | None,
) -> tuple[Draft, tuple[CheckResult, ...]]:
    draft = track(ledger, publication, reading, policy, corrections)
    before = ledger.in_force.get(publication.list)
    seen_before = publication.workbook in ledger.accepted.get(publication.list, ())
    in_force = before.publication if before else None
    results = check(publication, reading, in_force, seen_before, draft.effect, policy.checks, totals)
    if reading.list is ListName.PENDING:
        results = (*results, not_the_other(reading, ledger))
    return draft, results


def _borne_out(
    ledger: Ledger,
    held: Held,
    publication: Publication,
    reading: Reading,
    policy: Policy,
    corrections: Corrections,
    totals: Totals | None,
) -> tuple[Ledger, list[Step]] | None:
    """Accept both if the held one failed only in how much it changes, and the next agrees with it.

    A list that is older, empty or unreadable is never borne out by another; only an operator releases it.
    """
    first, results = _try(ledger, held.publication, held.reading, policy, corrections, None)
    if {r.name for r in results if r.required and not r.ok} - _CAN_BE_BORNE_OUT:
        return None
    second, next_results = _try(first.ledger, publication, reading, policy, corrections, totals)
    if holds(next_results):
        return None
    return _release(second.ledger, publication), [
        _accept(held.publication, held.reading, results, first, f"borne out by {publication.file_name}"),
        _accept(
            publication,
            reading,
            next_results,
            second,
            "all required checks passed against the list it bears out",
        ),
    ]


def _step(
    publication: Publication, reading: Reading, verdict: Verdict, reason: str, results: tuple[CheckResult, ...] = ()
) -> Step:
    rows = len(reading.listings)
    return Step(publication, verdict, reason, results, reading.findings, reading.columns, rows)


def _accept(
    publication: Publication,
    reading: Reading,
    results: tuple[CheckResult, ...],
    draft: Draft,
    reason: str,
) -> Step:
    return replace(
        _step(publication, reading, Verdict.ACCEPTED, reason, results),
        placements=draft.placements,
        events=draft.events,
        status_changes=draft.status_changes,
        agreements=draft.touched,
    )


def _superseded(held: Held, reason: str) -> Step:
    return _step(held.publication, held.reading, Verdict.REJECTED, reason)


def _release(ledger: Ledger, publication: Publication) -> Ledger:
    return replace(ledger, held={name: held for name, held in ledger.held.items() if name is not publication.list})
