"""`/metrics` for Prometheus: how the sidecar stands, and what was asked of it. Loaded only where a token is set."""

from __future__ import annotations

from typing import Any

from flask import Response

from sidecar.runtime import Runtime


class Metrics:
    """Counts requests, and asks the runtime when it is scraped. Without a token it counts nothing and costs nothing."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._registry: Any = None
        if runtime.config.service.metrics_token:
            self._begin()

    def _begin(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Histogram

        # A registry of our own: the module's global one brings figures of Python that nobody asked for.
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "fcsc_requests_total", "Requests by route, method and status.", ["route", "method", "status"],
            registry=self._registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "fcsc_request_seconds", "How long requests took.", ["route"], registry=self._registry,
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 10),
        )  # fmt: skip
        self._registry.register(_Standing(self._runtime))

    def seen(self, route: str, method: str, status: int, seconds: float) -> None:
        """One request more."""
        if self._registry is not None:
            self._requests.labels(route, method if method in ("GET", "POST") else "other", str(status)).inc()
            self._seconds.labels(route).observe(seconds)

    def view(self) -> Response:
        """The exposition."""
        from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

        return Response(generate_latest(self._registry), content_type=CONTENT_TYPE_LATEST)


class _Standing:
    """Gauges that are worked out when somebody asks."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def describe(self) -> list[Any]:
        """Nothing is asked at registration."""
        return []

    def collect(self) -> list[Any]:
        """The present figures."""
        from prometheus_client.core import GaugeMetricFamily

        from sidecar.web import figures

        return [GaugeMetricFamily(name, about, value=value) for name, about, value in figures.gauges(self._runtime)]
