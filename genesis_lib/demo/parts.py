"""The parts of the embedded stack, at the ports by which the configuration in monitoring/ and the parameters name them."""

from collections.abc import Mapping

__all__ = ["JOBS", "PORTS", "WORKLOAD_JOBS"]

# The jobs of monitoring/prometheus_config.yml ...
_JOB_PORTS: Mapping[str, int] = {
    "prometheus": 9090,
    "alertmanager": 9093,
    "node": 9100,
    "genesis-orchestration": 8000,
    "genesis-python-app": 8001,
    "genesis-tests": 8002,
}
JOBS = tuple(_JOB_PORTS)
# ... and the receiver of monitoring/alertmanager_config.yml, which nobody scrapes.
PORTS: Mapping[str, int] = {**_JOB_PORTS, "receiver": 5001}
WORKLOAD_JOBS = tuple(job for job in JOBS if job.startswith("genesis-"))
