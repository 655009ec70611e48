"""A message as the plain part of a mail."""

from __future__ import annotations

from dataclasses import replace

from db.records import Status
from pipeline.reports.messages import text
from pipeline.reports.messages.content import MessageKind
from tests.pipeline.reports.messages.message_values import HELD, TASK, everything, message, new, taken_back, told

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

TERMS USED
==========

MOA: memorandum of agreement, the contract between ICE and the agency.
Jail Enforcement Model: officers identify and process removable people
  already in jail under state or local charges.

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
ICE's lists: https://www.ice.gov/identify-and-arrest/287g
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


COMMAND = "watch287g report --since 2025-06-27 --until 2025-06-27 --state FL"


def test_a_subscriber_is_told_of_a_command_only_where_a_list_is_cut_and_whose_it_is() -> None:
    some = message([new(f"Agency {number}") for number in range(9)], full_report=COMMAND)
    shown = " ".join(text.render(some, most=3).split())

    assert f"and 6 more: 6 new (the operator can run: {COMMAND})" in shown
    assert "Full report" not in shown
    assert "watch287g report" not in text.render(some)


SEVERAL = """\
No longer listed (2)

* Kerr County Sheriff's Office
  Kerr County, Texas
  - Jail Enforcement Model, signed 2025-05-06
    ICE no longer lists it; ICE gives no reason. Listed since 2025-05-12,
    absent from participatingAgencies06272025am.xlsx.
    MOA: https://www.ice.gov/doclib/287gMOA/ClayCoFL_TFM_MOA_02262025.pdf
    Evidence: not in participatingAgencies06272025am.xlsx [1]; row 700 of
      the list before, participatingAgencies06262025pm.xlsx [2]; event
      e-000000000001
  - Task Force Model, signed 2025-05-06
    ICE no longer lists it; ICE gives no reason. Listed since 2025-05-12,
    absent from participatingAgencies06272025am.xlsx.
    MOA: https://www.ice.gov/doclib/287gMOA/ClayCoFL_TFM_MOA_02262025.pdf
    Evidence: not in participatingAgencies06272025am.xlsx [1]; row 700 of
      the list before, participatingAgencies06262025pm.xlsx [2]; event
      e-000000000002
  No other agreement of this agency is listed.

"""


def test_agreements_that_end_together_are_told_together() -> None:
    assert SEVERAL in text.render(message([told(), told(event_id="e-000000000002", support_model=TASK)]))


def test_what_one_list_lacks_so_far_has_a_heading_of_its_own() -> None:
    once = told(event_id="e-once", status=Status.PROVISIONAL)
    shown = text.render(message([told(), once]))

    assert shown.index("No longer listed, provisional (1)") < shown.index("No longer listed (1)")


def test_only_the_terms_that_occur_are_explained() -> None:
    shown = text.render(message([replace(told(), moa_url=None)]))

    assert "\nJail Enforcement Model: officers identify" in shown
    assert "MOA: memorandum" not in shown
    assert "Task Force Model: officers" not in shown
    assert "TERMS USED" not in text.render(message(kind=MessageKind.OPERATOR, affairs=(HELD,)))


def test_every_event_is_named() -> None:
    some = everything()
    shown = " ".join(text.render(some).split())

    assert [one.event.event_id for one in some.told if one.event.event_id not in shown] == []


def test_what_is_over_orders_nothing() -> None:
    over = replace(
        HELD,
        over=True,
        commands=(),
        details=("It was so from 2025-04-21T14:00:00Z until 2025-04-22T14:00:00Z at the latest.",),
    )
    shown = text.render(message(kind=MessageKind.OPERATOR, affairs=(over,)))

    assert shown.startswith(
        "Over: the participating list of 2025-04-21 is held\n- It was so from 2025-04-21 14:00 UTC until 2025-04-22 "
        "14:00 UTC at the\n  latest.\n\n-- \n"
    )


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
