"""A message as a file in a folder of reports."""

from __future__ import annotations

from pipeline.reports.messages import markdown
from pipeline.reports.messages.content import MessageKind
from tests.pipeline.reports.messages.message_values import HELD, TASK, everything, message, new, told


def test_a_termination_carries_its_documents_and_its_evidence() -> None:
    assert markdown.render(message([told()])) == (
        "# 287(g): 1 terminated in Texas\n\n## Texas\n\n### No longer listed (1)\n\n"
        "- **Kerr County Sheriff's Office**, Kerr County, Texas: Jail Enforcement Model, signed 2025-05-06  \n"
        "  ICE no longer lists it; ICE gives no reason. Listed since 2025-05-12, absent from "
        "participatingAgencies06272025am.xlsx. No other agreement of this agency is listed. "
        "[MOA](https://www.ice.gov/doclib/287gMOA/ClayCoFL_TFM_MOA_02262025.pdf).  \n"
        "  Evidence: not in participatingAgencies06272025am.xlsx \\[1\\]; row 700 of the list before, "
        "participatingAgencies06262025pm.xlsx \\[2\\]; event e-000000000001\n\n"
        "## Terms used\n\n"
        "- MOA: memorandum of agreement, the contract between ICE and the agency.\n"
        "- Jail Enforcement Model: officers identify and process removable people already in jail under state or local "
        "charges.\n\n"
        "## Workbooks\n\n"
        f"1. participatingAgencies06272025am.xlsx, first seen 2025-06-27 14:00 UTC, SHA-256 {'ab' * 32}, archived at "
        f"<https://archive.example.org/{'ab' * 32}.xlsx>\n"
        f"2. participatingAgencies06262025pm.xlsx, first seen 2025-06-26 22:00 UTC, SHA-256 {'cd' * 32}, archived at "
        f"cd/{'cd' * 32}.xlsx\n\n"
        "---\n\nFull report: <https://reports.example.org/287g>\n\n"
        "ICE's lists: <https://www.ice.gov/identify-and-arrest/287g>\n\n"
        "watch287g to gulf-coalition, 2025-06-27 14:05 UTC, message m-0123456789abcdef\n"
    )


def test_everything_is_told_unless_it_is_to_be_cut() -> None:
    some = message([new(f"Agency {number}") for number in range(120)])

    assert markdown.render(some).count("\n- **Agency") == 120
    assert markdown.render(some, 50).count("\n- **Agency") == 50
    assert "\n\nand 70 more: 70 new\n" in markdown.render(some, 50)


def test_each_state_has_a_heading() -> None:
    headings = [line for line in markdown.render(everything()).splitlines() if line.startswith("## ")]

    assert headings == ["## Taken back: Texas", "## Texas", "## Terms used", "## Workbooks"]


def test_agreements_that_end_together_are_told_together() -> None:
    shown = markdown.render(message([told(), told(event_id="e-000000000002", support_model=TASK)]))

    assert (
        "\n- **Kerr County Sheriff's Office**, Kerr County, Texas:\n"
        "  - Jail Enforcement Model, signed 2025-05-06  \n    ICE no longer lists it" in shown
    )
    assert "\n  - Task Force Model, signed 2025-05-06  \n    ICE no longer lists it" in shown
    assert shown.count("No other agreement of this agency is listed.") == 1
    assert "event e-000000000002\n\n  No other agreement of this agency is listed.\n\n## Terms used" in shown


def test_every_event_is_named() -> None:
    some = everything()
    shown = markdown.render(some)

    assert [one.event.event_id for one in some.told if one.event.event_id not in shown] == []


def test_commands_can_be_copied() -> None:
    shown = markdown.render(message(kind=MessageKind.OPERATOR, affairs=(HELD,)))

    assert "\n```sh\nwatch287g accept abab --reason '...'\nwatch287g reject abab --reason '...'\n```\n" in shown
