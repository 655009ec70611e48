"""The words that only those who follow the lists know, each with what it means, as ICE's page describes it."""

import re
from collections.abc import Iterable, Iterator

from pipeline.reports.messages.accounts import ToldSection, accounts

TITLE = "Terms used"

_LINES = {
    "MOA": "memorandum of agreement, the contract between ICE and the agency.",
    "Jail Enforcement Model": (
        "officers identify and process removable people already in jail under state or local charges."
    ),
    "Task Force Model": "officers may enforce some immigration law during their routine police duties.",
    "Warrant Service Officer": "officers serve ICE's administrative warrants on people in their jail.",
}


def legend(told: Iterable[ToldSection]) -> list[tuple[str, str]]:
    """The words that occur in sections, each with what it means."""
    texts = list(_texts(told))
    return [(word, means) for word, means in _LINES.items() if any(re.search(rf"\b{word}\b", text) for text in texts)]


def _texts(told: Iterable[ToldSection]) -> Iterator[str]:
    for account in accounts(told):
        yield account.terms
        yield from account.said
        yield from (link.label for link in account.links)
    for section in told:
        yield from (block.left for group in section.groups for block in group.blocks)
