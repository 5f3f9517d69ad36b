"""Progressive rollout: its plan, its gate, its flags and its journal. Reading and judging; what changes the world is in `actions`."""
