"""What an objective (SLO) is, as strictly checked settings. Asks nothing, judges nothing."""
