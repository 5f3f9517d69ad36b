"""The way of an alert: loaded, active, routed, muted, delivered."""
