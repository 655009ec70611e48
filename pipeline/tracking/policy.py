"""Thresholds that an operator can set, as the core sees them. `config.yaml` explains each beside its key."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CheckLimits:
    """When a publication is held. Shares are of the agreements in force (or of rows), 0 to 1.

    A share counts only together with its number: one of three rows is no catastrophe.
    """

    vanish_share: float = 0.10
    vanish_number: int = 15
    changed_share: float = 0.25
    changed_number: int = 25
    moved_links_share: float = 0.02
    moved_links_number: int = 10
    unresolved_share: float = 0.02
    unresolved_number: int = 5
    duplicate_share: float = 0.05
    duplicate_number: int = 10
    odd_dates_share: float = 0.05
    odd_dates_number: int = 10
    future_days: int = 7
    totals_difference: int = 10


@dataclass(frozen=True)
class Policy:
    """How the history is told.

    A return within `reinstate_within_days` is the same agreement listed again, later a new one; within
    `retract_within_days` the termination is taken back. An application that left the list and was not signed within
    `withdrawn_after_days` is withdrawn.
    """

    checks: CheckLimits = CheckLimits()
    reinstate_within_days: int = 365
    retract_within_days: int = 14
    withdrawn_after_days: int = 30
