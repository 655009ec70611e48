"""The ways in which a fetch can fail, and a year's share of them, drawn by a seeded generator."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import accumulate, pairwise
from random import Random
from typing import Any

from pipeline.demo.server import Answer, Behaviour
from tests.scraper.synthetic import BLOCK_PAGE, HTML

MOST_PAGE_BYTES, MOST_WORKBOOK_BYTES = 100_000, 1_000_000
"""What the crawls may download; ICE's largest list has 0.2 MB."""

ROBOTS = "/robots.txt"
_HTML_TYPE = {"Content-Type": "text/html; charset=UTF-8"}
_SHORT = {"timeout_seconds": 0.3}

Answers = Callable[[str, Answer], Mapping[str, Answer]]
"""An address and what it answers when all is well -> what is answered instead, there and elsewhere."""


class Elsewhere(StrEnum):
    """Where the page is looked for, when the way there fails and not the site."""

    no_such_host = "no such host"
    not_trusted = "not trusted"
    nobody = "nobody listens"


@dataclass(frozen=True, slots=True)
class Failure:
    """A way to fail: of the page, of the workbooks, or of the way there.

    `kind` is the sort of failure that operators are to hear of. `settings` are those of the crawl that have to be
    others for it to fail within a second.
    """

    name: str
    kind: str
    page: Answers | None = None
    workbook: Answers | None = None
    elsewhere: Elsewhere | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


def _always(answer: Answer) -> Answers:
    return lambda address, _: {address: answer}


def _behaving(behaviour: Behaviour) -> Answers:
    """The right answer, given in a wrong way; without validators, so that it is not a 304."""
    return lambda address, good: {address: Answer(body=good.body, behaviour=behaviour)}


def _body(change: Callable[[bytes], bytes]) -> Answers:
    return lambda address, good: {address: Answer(body=change(good.body))}


def _hops(number: int) -> Answers:
    """So many redirects on the way to the right answer."""

    def answers(address: str, good: Answer) -> dict[str, Answer]:
        way = [address, *(f"{address}?hop={hop}" for hop in range(1, number)), f"{address}?end"]
        led = {here: Answer(302, {"Location": there}) for here, there in pairwise(way)}
        return led | {way[-1]: replace(good, headers={})}

    return answers


def _to(address: str) -> Answers:
    return _always(Answer(302, {"Location": address}))


_NO_LINKS = Answer(headers=_HTML_TYPE, body=b"<!DOCTYPE html><html><body><p>287(g)</p></body></html>")
_OTHER_LINKS = Answer(
    headers=_HTML_TYPE,
    body=b'<!DOCTYPE html><html><body><a href="/doclib/participating">View Participating Agencies</a></body></html>',
)


def _forbidden(_address: str, _good: Answer) -> dict[str, Answer]:
    return {ROBOTS: Answer(body=b"User-agent: *\nDisallow: /\n")}


FAILURES = (
    Failure("403", "blocked", page=_always(Answer(403, body=HTML))),
    Failure("block page with 200", "blocked", page=_always(Answer(headers=_HTML_TYPE, body=BLOCK_PAGE))),
    Failure("page 404", "page_not_found", page=_always(Answer(404, body=HTML))),
    Failure("page 500", "server_error", page=_always(Answer(500, body=HTML))),
    Failure("page 503 with Retry-After", "server_error", page=_always(Answer(503, {"Retry-After": "3600"}))),
    Failure("page 429", "http_error", page=_always(Answer(429, {"Retry-After": "86400"}))),
    Failure("empty page", "page", page=_always(Answer(headers=_HTML_TYPE))),
    Failure("page cut", "page", page=_behaving(Behaviour.cut)),
    Failure("page reset", "unreachable", page=_behaving(Behaviour.reset)),
    Failure("page hangs", "timeout", page=_behaving(Behaviour.hang), settings=_SHORT),
    Failure("page stalls", "timeout", page=_behaving(Behaviour.stall), settings=_SHORT),
    Failure("page drips", "timeout", page=_behaving(Behaviour.drip), settings=_SHORT),
    Failure("oversize page", "page", page=_body(lambda body: body.ljust(MOST_PAGE_BYTES + 1))),
    Failure("10 redirects", "http_error", page=_hops(10)),
    Failure(
        "redirected to itself", "http_error", page=lambda address, _: {address: Answer(302, {"Location": address})}
    ),
    Failure("redirected off the hosts", "off_host", page=_to("http://localhost/identify-and-arrest/287g")),
    Failure("page without links", "links", page=_always(_NO_LINKS)),
    Failure("page with other links", "links", page=_always(_OTHER_LINKS)),
    Failure("robots.txt forbids", "robots", page=_forbidden),
    Failure("no such host", "unreachable", elsewhere=Elsewhere.no_such_host),
    Failure("connection refused", "unreachable", elsewhere=Elsewhere.nobody),
    Failure("TLS error", "tls", elsewhere=Elsewhere.not_trusted),
    Failure(
        "hang beyond the limit",
        "timeout",
        page=_behaving(Behaviour.hang),
        settings={"timeout_seconds": 600.0, "hard_limit_seconds": 0.6},
    ),
    Failure("crawl's process ends", "crawl", settings={"log_file": "/dev/null/crawl.log"}),
    Failure("workbook 404", "not_found", workbook=_always(Answer(404, body=HTML))),
    Failure("workbook 500", "server_error", workbook=_always(Answer(500))),
    Failure("workbook 403", "blocked", workbook=_always(Answer(403, body=BLOCK_PAGE))),
    Failure("empty workbook", "no_workbook", workbook=_always(Answer())),
    Failure("HTML in place of a workbook", "no_workbook", workbook=_always(Answer(headers=_HTML_TYPE, body=HTML))),
    Failure("truncated workbook", "no_workbook", workbook=_body(lambda body: body[:-50])),
    Failure("workbook of a wrong length", "no_workbook", workbook=_behaving(Behaviour.cut)),
    Failure("oversize workbook", "no_workbook", workbook=_body(lambda body: body.ljust(MOST_WORKBOOK_BYTES + 1))),
    Failure("workbook reset", "unreachable", workbook=_behaving(Behaviour.reset)),
    Failure("workbook hangs", "timeout", workbook=_behaving(Behaviour.hang), settings=_SHORT),
    Failure("workbook drips", "timeout", workbook=_behaving(Behaviour.drip), settings=_SHORT),
    Failure("workbook redirected off the hosts", "off_host", workbook=_to("http://localhost/list.xlsx")),
)

_LENGTHS = (range(1, 2), range(2, 6), range(6, 20), range(25, 49))
USUAL = (70, 20, 8, 2)
"""Of a hundred outages, how many are of each length: most are a single check, some last for a day or two."""


def drawn(
    hours: int, free: Collection[int], share: float, random: Random, lengths: Sequence[int] = USUAL
) -> dict[int, Failure]:
    """For about a `share` of so many hourly checks, how each fails; only those in `free` may.

    Trouble comes as outages of one to 48 checks, parted by checks that go well; a longer one fails in up to three ways,
    by turns. Ways are drawn like cards, so that each has its turn.
    """
    found: dict[int, Failure] = {}
    deck: list[Failure] = []
    left, open_hours = round(hours * share), set(free)
    while left > 0:
        length = min(left, random.choice(random.choices(_LENGTHS, lengths)[0]))
        start = _start(hours, open_hours, found, length, random)
        if start is None:
            length, start = 1, _start(hours, open_hours, found, 1, random)
        if start is None:
            break
        deck = deck if len(deck) >= 3 else deck + random.sample(FAILURES, len(FAILURES))
        ways = [deck.pop() for _ in range(min(length, random.randint(1, 3)))]
        found |= {hour: random.choice(ways) if hour > start else ways[0] for hour in range(start, start + length)}
        left -= length
    return found


def _start(hours: int, free: Collection[int], taken: Collection[int], length: int, random: Random) -> int | None:
    """An hour from which so many are free, with one that is well before and after."""
    well = [hour in free and hour not in taken for hour in range(hours)]
    run = list(accumulate(well, lambda before, is_well: before + 1 if is_well else 0, initial=0))[1:]
    near = {hour + step for hour in taken for step in (-1, 1)}
    starts = [
        end - length + 1
        for end in range(hours)
        if run[end] >= length and end not in near and end - length + 1 not in near
    ]
    return random.choice(starts) if starts else None
