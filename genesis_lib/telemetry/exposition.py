"""Show OpenTelemetry's metrics to Prometheus: the SDK's own reader, plus exemplars, in one piece when scraped twice at once."""

import threading
from bisect import bisect_left
from collections.abc import Iterable
from typing import Any

from opentelemetry import trace
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics.export import Histogram, HistogramDataPoint, MetricsData
from prometheus_client import CollectorRegistry
from prometheus_client.core import InfoMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar

__all__ = ["PrometheusReader"]


class PrometheusReader(PrometheusMetricReader):
    """Registers all metrics of a meter provider with `registry`; histograms carry exemplars where scraped in OpenMetrics.

    It finds a histogram by its name, so instruments must be named as Prometheus shows them.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        inner = CollectorRegistry()
        super().__init__(scope_info_enabled=False, registry=inner)
        self._page, self._pages = _Page(inner), registry
        registry.register(self._page)

    def _receive_metrics(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> None:
        self._page.keep(metrics_data)
        super()._receive_metrics(metrics_data, timeout_millis, **kwargs)

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        """Take the metrics off the page."""
        self._pages.unregister(self._page)
        super().shutdown(timeout_millis, **kwargs)


class _Page(Collector):
    def __init__(self, inner: CollectorRegistry) -> None:
        self._inner = inner
        self._lock = threading.Lock()  # of two collections at once, the SDK's collector gives one of them both
        # The SDK hands each exemplar out once. They are kept, for a page must not depend on who else has read it.
        self._kept: dict[tuple[str, frozenset[Any]], list[Exemplar | None]] = {}
        self._in_order: dict[str, list[Exemplar | None]] = {}

    def describe(self) -> Iterable[Metric]:
        """What no other page of the registry may have: the resource, of which there is one."""
        return [InfoMetricFamily("target", "Target metadata")]

    def collect(self) -> Iterable[Metric]:
        """All metrics; the SDK's collector calls `keep` on the way."""
        with self._lock:
            families = list(self._inner.collect())
            for family in families:
                exemplars = iter(self._in_order.get(family.name, ()))
                family.samples = [
                    sample._replace(exemplar=next(exemplars, None)) if sample.name.endswith("_bucket") else sample
                    for sample in family.samples
                ]
        return families

    def keep(self, metrics_data: MetricsData) -> None:
        """Take the latest exemplar of each bucket, in the order in which the buckets will stand on the page."""
        metrics = [m for r in metrics_data.resource_metrics for s in r.scope_metrics for m in s.metrics]
        for metric in metrics:
            if isinstance(metric.data, Histogram):
                points = [self._latest(metric.name, point) for point in metric.data.data_points]
                self._in_order[metric.name] = [exemplar for point in points for exemplar in point]

    def _latest(self, name: str, point: HistogramDataPoint) -> list[Exemplar | None]:
        key = name, frozenset((point.attributes or {}).items())
        latest = self._kept.setdefault(key, [None] * len(point.bucket_counts))
        for exemplar in point.exemplars:
            if exemplar.trace_id and exemplar.span_id:
                labels = {
                    "trace_id": trace.format_trace_id(exemplar.trace_id),
                    "span_id": trace.format_span_id(exemplar.span_id),
                }
                latest[bisect_left(point.explicit_bounds, exemplar.value)] = Exemplar(
                    labels, exemplar.value, exemplar.time_unix_nano / 1e9
                )
        return latest
