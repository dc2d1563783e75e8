"""Numbers for Prometheus."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

Numbers = Callable[[], Mapping[str, float]]

# Seconds; Slack shows a person an error after 3.
ACK_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0)
COUNTERS: Final = {
    "requests_accepted": "Requests that were stored.",
    "requests_repeated": "Repeated deliveries of stored requests.",
    "messages_sent": "Slack messages that were sent or updated.",
    "messages_troubles": "Calls for Slack messages that failed.",
    "messages_undelivered": "Messages that couldn't be delivered.",
}
GAUGES: Final = {
    "tasks": "Requests and other work in progress or waiting.",
    "leader": "1 on the replica that leads the workspace, otherwise 0.",
    "http_connections": "Open connections to the HTTP server.",
}


class Metrics:
    """What /metrics shows. `numbers` gives the current value of every counter and gauge by name."""

    def __init__(self, numbers: Numbers) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Numbers(numbers))
        self._ack = Histogram(
            "signalbox_ack_seconds",
            "Seconds from the arrival of a request to its acknowledgement.",
            ["source"],
            buckets=ACK_BUCKETS,
            registry=self._registry,
        )

    def acked(self, source: str, seconds: float) -> None:
        """One request was acknowledged."""
        self._ack.labels(source).observe(seconds)

    def page(self) -> tuple[bytes, str]:
        """The page and its content type."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST


class _Numbers(Collector):
    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        now = self._numbers()
        for name, text in COUNTERS.items():
            yield CounterMetricFamily(f"signalbox_{name}", text, value=now[name])
        for name, text in GAUGES.items():
            yield GaugeMetricFamily(f"signalbox_{name}", text, value=now[name])

    def describe(self) -> list[CounterMetricFamily]:
        """Nothing: the registry then need not ask for values before there are any."""
        return []
