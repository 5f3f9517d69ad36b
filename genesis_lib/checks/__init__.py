"""Checks: each asks (`gather`), then decides (`judge`, pure). One check is one file, one test file, one page in docs/checks/."""
