"""What several checks ask, asked once: the questions of policy, rules and panels, their answers, and why there is none."""
