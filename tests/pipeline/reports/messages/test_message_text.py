"""A message as the plain part of a mail."""

from __future__ import annotations

from pipeline.reports.messages import text
from pipeline.reports.messages.content import MessageKind
from tests.pipeline.reports.messages.message_values import HELD, everything, message, new, taken_back, told

TERMINATION = """\
287(g): 1 terminated in Texas

TEXAS
=====

No longer listed (1)

* Kerr County Sheriff's Office
  Kerr County, Texas
  Jail Enforcement Model, signed 2025-05-06
  ICE no longer lists it; ICE gives no reason. Listed since 2025-05-12,
  absent from participatingAgencies06272025am.xlsx. No other agreement of
  this agency is listed.
  MOA: https://www.ice.gov/doclib/287gMOA/ClayCoFL_TFM_MOA_02262025.pdf
  Evidence: not in participatingAgencies06272025am.xlsx [1]; row 700 of the
    list before, participatingAgencies06262025pm.xlsx [2]; event
    e-000000000001

WORKBOOKS
=========

[1] participatingAgencies06272025am.xlsx
    first seen 2025-06-27 14:00 UTC
    SHA-256 abababababababababababababababababababababababababababababababab
    archived at https://archive.example.org/abababababababababababababababababababababababababababababababab.xlsx

[2] participatingAgencies06262025pm.xlsx
    first seen 2025-06-26 22:00 UTC
    SHA-256 cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd
    archived at cd/cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd.xlsx

-- 
Full report: https://reports.example.org/287g
watch287g to gulf-coalition, 2025-06-27 14:05 UTC, message
m-0123456789abcdef
"""  # noqa: W291 - the mark of a signature ends in a space


def test_a_termination_reads_well_alone() -> None:
    assert text.render(message([told()])) == TERMINATION


def test_no_line_is_wider_than_a_terminal_but_for_addresses_and_hashes() -> None:
    wide = [line for line in text.render(everything()).splitlines() if len(line) > 76]

    assert [line for line in wide if not line.lstrip().startswith(("MOA", "archived at "))] == []


def test_a_correction_asks_whoever_published_to_correct() -> None:
    assert "If you published it, please\ncorrect it.\n" in text.render(message([taken_back()], MessageKind.CORRECTION))


def test_a_long_list_is_cut_with_a_count_and_a_pointer_and_keeps_what_is_taken_back() -> None:
    some = [new(f"Agency {number}") for number in range(120)]
    shown = text.render(message([*some, taken_back()]), most=3)

    assert "TAKEN BACK: TEXAS" in shown
    assert "and 118 more: 118 new; full report: https://reports.example.org/287g" in shown
    assert shown.count("\n* ") == 3
    assert text.render(message([*some, taken_back()]), most=None).count("\n* ") == 121


def test_an_operator_reads_what_is_wrong_since_when_and_the_commands_that_decide_it() -> None:
    shown = text.render(message(kind=MessageKind.OPERATOR, affairs=(HELD, HELD), full_report=""))

    assert shown.startswith(
        "The participating list of 2025-04-21 is held\nSince 2025-04-21 14:00 UTC.\n- 140 of 456 agreements would "
        "vanish\n\n    watch287g accept abab --reason '...'\n    watch287g reject abab --reason '...'\n\nThe "
    )
    assert "Full report" not in shown


def test_a_test_says_that_nothing_has_happened() -> None:
    assert "This is a test: nothing has happened" in text.render(message([told()], MessageKind.TEST))


def test_an_empty_message_is_still_a_message() -> None:
    assert text.render(message()).startswith("287(g): nothing to tell\n")
