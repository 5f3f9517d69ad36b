"""The embedded stack: real Prometheus, Alertmanager and node exporter on loopback, the Genesis workload, its history, scenarios."""
