"""A message for chat services: compact, within its limit, and obeyed by none of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from db.records import Status
from pipeline.reports import escaping
from pipeline.reports.messages.chat import render_chat, title
from pipeline.reports.messages.content import Affair, MessageKind
from tests.pipeline.reports.messages.message_values import (
    HELD,
    MOA,
    everything,
    gap,
    message,
    new,
    taken_back,
    told,
)

TERMINATION = """\
287(g): 1 terminated in Texas

NO LONGER LISTED: Kerr County Sheriff's Office, Kerr County, Texas: Jail Enforcement Model, signed 2025-05-06
ICE no longer lists it; ICE gives no reason. Listed since 2025-05-12, absent from \
participatingAgencies06272025am.xlsx. No other agreement of this agency is listed.
MOA: https://www.ice.gov/doclib/287gMOA/ClayCoFL_TFM_MOA_02262025.pdf
Evidence: not in participatingAgencies06272025am.xlsx; row 700 of the list before, \
participatingAgencies06262025pm.xlsx; event e-000000000001

Workbook participatingAgencies06272025am.xlsx, first seen 2025-06-27 14:00 UTC
SHA-256 abababababababababababababababababababababababababababababababab
Archived at https://archive.example.org/abababababababababababababababababababababababababababababababab.xlsx

Workbook participatingAgencies06262025pm.xlsx, first seen 2025-06-26 22:00 UTC
SHA-256 cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd
Archived at cd/cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd.xlsx

ICE's lists: https://www.ice.gov/identify-and-arrest/287g"""


def test_a_termination_carries_its_evidence() -> None:
    assert render_chat(message([told()]), 2000) == TERMINATION


@pytest.mark.parametrize("limit", [0, 1, 20, 100, 280, 500, 1000, 2000, 4096, 40_000])
def test_it_keeps_to_the_limit(limit: int) -> None:
    assert len(render_chat(everything(), limit)) <= limit


def test_it_is_cut_between_two_entries_with_the_count_of_the_rest_and_the_pointer() -> None:
    some = message([new(f"Agency {number}") for number in range(30)])
    shown = render_chat(some, 2000)
    told_of = shown.count("\nNEW: Agency")

    assert 0 < told_of < 30
    assert f"\n\nand {30 - told_of} more: {30 - told_of} new; full report: https://reports.example.org/287g\n" in shown
    assert shown.count("Evidence: row 104 of participatingAgencies06272025am.xlsx") == told_of
    assert render_chat(some, 40_000, most=2).count("\nNEW: Agency") == 2


def test_what_is_taken_back_is_the_last_to_be_left_out() -> None:
    some = message([new(f"Agency {number}") for number in range(30)] + [taken_back()])

    assert "\nTAKEN BACK: Kerr" in render_chat(some, 800)


def test_where_little_fits_the_hashes_go_before_the_entry() -> None:
    shown = render_chat(message([told()]), 600)

    assert "NO LONGER LISTED: Kerr" in shown
    assert "SHA-256" not in shown
    assert render_chat(message([told()]), 120) == (
        "287(g): 1 terminated in Texas\n\nand 1 more: 1 terminated; full report: https://reports.example.org/287g"
    )


def test_an_operator_gets_the_commands() -> None:
    assert render_chat(message(kind=MessageKind.OPERATOR, affairs=(HELD,)), 2000) == (
        "watch287g: the participating list of 2025-04-21 is held (since 2025-04-21 14:00 UTC)\n"
        "- 140 of 456 agreements would vanish\n"
        "Command: watch287g accept abab --reason '...'\n"
        "Command: watch287g reject abab --reason '...'\n\n"
        "ICE's lists: https://www.ice.gov/identify-and-arrest/287g"
    )


def test_what_is_over_orders_nothing() -> None:
    over = replace(HELD, over=True, commands=(), details=("It was so until 2025-04-22T14:00:00Z at the latest.",))

    assert render_chat(message(kind=MessageKind.OPERATOR, affairs=(over,), page_url=""), 2000) == (
        "watch287g: over: the participating list of 2025-04-21 is held\n- It was so until 2025-04-22 14:00 UTC at the "
        "latest."
    )


def test_what_one_list_lacks_so_far_is_marked_at_the_top() -> None:
    shown = render_chat(message([told(status=Status.PROVISIONAL)]), 2000)

    assert "\nNO LONGER LISTED (PROVISIONAL): Kerr County" in shown
    assert "MISSING FOR A WHILE, LISTED AGAIN: Kerr County" in render_chat(message(gap()), 4000)


def test_every_event_is_named() -> None:
    some = everything()
    shown = render_chat(some, 40_000)

    assert [one.event.event_id for one in some.told if one.event.event_id not in shown] == []


def test_a_command_is_the_operators() -> None:
    some = message([new("A"), new("B")], full_report="watch287g report --since 2025-06-27")

    assert "and 1 more: 1 new (the operator can run: watch287g report --since 2025-06-27)" in render_chat(some, 4000, 1)
    assert "watch287g report" not in render_chat(some, 4000)


def test_the_title_obeys_nothing_either() -> None:
    affair = Affair(key="k", title="unknown value <!channel> @everyone")

    assert title(message([new()], MessageKind.TEST)) == "(TEST) 287(g): 1 new in Florida"
    assert title(message(affairs=(affair,))) == "watch287g: unknown value ‹!channel› (at)everyone"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Peñasco Marshal's Office, Precinct 4 & 5", "Peñasco Marshal's Office, Precinct 4 & 5"),
        ("@everyone @here", "(at)everyone (at)here"),
        ("<!channel> <@U123> <https://evil.example|ICE>", "‹!channel› ‹(at)U123› ‹https∶//evil. example¦ICE›"),
        ("[ICE](https://evil.example)", "(ICE)(https∶//evil. example)"),
        ("see www.evil.example", "see www. evil. example"),
        ("`code` *bold* _slant_ ~gone~ ||spoiler||", "’code’ ∗bold∗ ˍslantˍ ∼gone∼ ¦¦spoiler¦¦"),
        (r"\*bold\*", "∖∗bold∖∗"),
        ("# Heading #hashtag", "♯ Heading ♯hashtag"),
        (":smile: 10:30", "∶smile: 10:30"),
        ("&lt;!here&gt; &#60;", "& lt;!here& gt; &♯60;"),
        ("tg://resolve", "tg∶//resolve"),
        ("a -> b", "a → b"),
        ("KerrCo.pdf and participating.06272025.xlsx", "KerrCo.pdf and participating.06272025.xlsx"),
        ("evil.pdf.example", "evil. pdf. example"),
        ("two\nlines\x1b[0m\u202e", "two lines\ufffd(0m\ufffd"),
    ],
)
def test_a_text_holds_nothing_that_a_service_obeys(text: str, shown: str) -> None:
    assert escaping.chat(text) == shown


@pytest.mark.parametrize(
    ("url", "link"),
    [
        (MOA, MOA),
        (
            "https://a.example/@everyone/*x*/~~y~~/_z_/a_b",
            "https://a.example/%40everyone/%2Ax%2A/%7E%7Ey%7E%7E/%5Fz%5F/a_b",
        ),
        ("https://a.example/<!here>|`x`", "https://a.example/%3C%21here%3E%7C%60x%60"),
        ("javascript:alert(1)", None),
        (None, None),
    ],
)
def test_an_address_stays_an_address_and_is_nothing_else(url: str | None, link: str | None) -> None:
    assert escaping.chat_link(url) == link
