"""The error tree: everything this library raises on purpose.

GenesisError
 ├─ ParameterError      a parameter or policy file is wrong; nothing was done (exit 3)
 ├─ NotebookError       a notebook crashed or was given unknown parameters (exit 3)
 ├─ FlagError           a flag file cannot be read, changed, replaced or evaluated (genesis_lib.rollout.flags)
 ├─ JournalError        the rollout's journal cannot be read or written (genesis_lib.rollout.journal)
 ├─ RunError            a run folder cannot be opened, joined or replayed (exit 3)
 ├─ StackError          the embedded stack, or a binary that it needs, is not to be had (exit 3)
 ├─ PdfError            the PDF cannot be made, all else can (genesis_lib.report.pdf)
 └─ SourceError         a source gave no usable answer; becomes `Missing`, never a crash

Each message says what is wrong, where, and how to mend it.
"""

from genesis_lib.model import Cause, Missing

__all__ = ["GenesisError", "NotebookError", "ParameterError", "RunError", "SourceError", "StackError"]


class GenesisError(Exception):
    """Root of all errors that this library raises on purpose."""


class ParameterError(GenesisError):
    """A parameter or policy file is wrong: names the file, key, line and the nearest known key."""


class NotebookError(GenesisError):
    """A notebook crashed, or was given parameters that it does not have."""


class RunError(GenesisError):
    """A run folder cannot be opened, joined or replayed as asked."""


class StackError(GenesisError):
    """The embedded stack cannot be started, or a binary that it needs cannot be had."""


class SourceError(GenesisError):
    """A source gave no usable answer. `cause` says how, `evidence` names the exchange that shows it."""

    def __init__(self, cause: Cause, detail: str, *, evidence: str = "") -> None:
        super().__init__(detail)
        self.cause = cause
        self.detail = detail
        self.evidence = evidence

    def missing(self) -> Missing:
        """The same fact as a value, for judges."""
        return Missing(cause=self.cause, detail=self.detail, evidence=self.evidence)
