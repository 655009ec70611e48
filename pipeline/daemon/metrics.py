"""The readings in the words of Prometheus. No text of ICE's or of an operator's stands in them: only our own words."""

from collections.abc import Iterator
from datetime import datetime

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from pipeline import __version__
from pipeline.daemon.readings import History, Readings

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


def exposition(readings: Readings) -> bytes:
    """The text that Prometheus reads; what is not known is left out."""
    registry = CollectorRegistry()
    registry.register(_Readings(readings))
    return generate_latest(registry)


class _Readings(Collector):
    def __init__(self, readings: Readings) -> None:
        self._readings = readings

    def collect(self) -> Iterator[Metric]:
        """What is told; `list`, `outcome` and `job` are of closed lists."""
        yield _labelled("build_info", "The version that runs.", "version", {__version__: 1})
        history = self._readings.history
        yield _gauge("history_readable", "1 if the history can be read, else 0.", int(history is not None))
        if history is not None:
            yield from _of_checks(history)
            yield from _of_lists(history)
            yield _gauge("alerts_waiting", "Messages that are due.", history.alerts_waiting)
            yield _gauge("alerts_failed", "Messages that were given up.", history.alerts_failed)
        if self._readings.free_bytes is not None:
            yield _gauge("disk_free_bytes", "Free space where the history is.", self._readings.free_bytes)
        if following := self._readings.next_runs:
            yield _labelled(
                "daemon_next_run_timestamp_seconds",
                "When the job runs next.",
                "job",
                {name: moment.timestamp() for name, moment in following.items()},
            )


def _of_checks(history: History) -> Iterator[Metric]:
    moments: tuple[tuple[str, str, datetime | None], ...] = (
        ("check_last_success_timestamp_seconds", "When the last good check ended.", history.last_success),
        ("check_last_finished_timestamp_seconds", "When the last check ended.", history.last_finished),
    )
    yield from (_gauge(name, help_text, moment.timestamp()) for name, help_text, moment in moments if moment)
    yield _gauge("check_failures_in_a_row", "Checks that failed since the last good one.", history.failures)
    counter = CounterMetricFamily("watch287g_checks", "Checks by how they ended.", labels=["outcome"])
    for outcome, number in history.checks.items():
        counter.add_metric([outcome.value], number)
    yield counter


def _of_lists(history: History) -> Iterator[Metric]:
    lists = history.lists
    yield _labelled("list_rows", "Rows of the list in force.", "list", {n.value: r.rows for n, r in lists.items()})
    yield _labelled(
        "list_last_new_timestamp_seconds",
        "When the list in force was first seen.",
        "list",
        {name.value: reading.first_seen_at.timestamp() for name, reading in lists.items()},
    )
    yield _gauge("held_publications", "Lists that wait for the next one or an operator.", history.held)


def _gauge(name: str, help_text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"watch287g_{name}", help_text, value=value)


def _labelled(name: str, help_text: str, label: str, values: dict[str, float]) -> Metric:
    family = GaugeMetricFamily(f"watch287g_{name}", help_text, labels=[label])
    for value, number in values.items():
        family.add_metric([value], number)
    return family
