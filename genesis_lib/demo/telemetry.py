"""Make the telemetry of a Genesis job; the past of the stack learns here how the running job will name itself."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry

from genesis_lib.demo.traffic import BUCKETS_S
from genesis_lib.observability import ObservabilityManager

__all__ = ["of_job", "target_labels"]

_REMEMBERED = 100  # measurements that a manager keeps for whoever looks into its process, which nobody does here


def of_job(job: str, *, version: str, registry: CollectorRegistry) -> ObservabilityManager:
    """What a job is instrumented by; its metrics are on the page of `registry`."""
    return ObservabilityManager(
        service_name=job, service_version=version, registry=registry, buckets_s=BUCKETS_S, most_metrics=_REMEMBERED
    )


def target_labels(job: str, *, version: str) -> Mapping[str, str]:
    """The labels of `target_info` on the job's page: the service, and the interpreter that runs it, which is this one."""
    registry = CollectorRegistry()
    with of_job(job, version=version, registry=registry) as manager:
        manager.record_metric("genesis.asked", 1, "")
        (labels,) = (one.labels for family in registry.collect() if family.name == "target" for one in family.samples)
    return labels
