"""Dashboards to judge, stating only what a test is about."""

from genesis_lib.checks.panel.panels import Dashboard, Panel


def panel(title: str, *expressions: str, unit: str = "", wants_one: bool = False) -> Panel:
    """A panel with these queries."""
    return Panel(
        title=title,
        subject=title,
        kind="timeseries",
        unit=unit,
        thresholds=(),
        expressions=expressions,
        wants_one=wants_one,
    )


def dashboard(*panels: Panel) -> Dashboard:
    """A dashboard that could be read."""
    return Dashboard(source="d.json", title="Genesis", panels=panels, evidence="e")


__all__ = ["dashboard", "panel"]
