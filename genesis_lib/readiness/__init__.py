"""From findings to a score and a decision. Pure: no I/O, no clock."""
