"""Ask the outside world: one client for each kind of source, one seam for HTTP, and every answer typed."""
