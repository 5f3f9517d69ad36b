"""The embedded stack: real Prometheus, Alertmanager and node exporter, a webhook receiver, the Genesis workload, its history."""
