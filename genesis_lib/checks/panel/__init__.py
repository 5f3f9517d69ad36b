"""Grafana dashboards taken apart: panels, queries, data sources, variables."""
