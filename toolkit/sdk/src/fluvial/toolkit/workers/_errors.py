# ruff: noqa: N818  (the names are those of the decision page)
"""What `WorkerPool.run` raises.

WorkerError
├── JobError           the function raised; a job may raise one itself, with details
├── DeadlineExceeded   the job took too long and its worker was killed
└── WorkerDied         the worker went away under the job: crash, memory limit, killed
"""

__all__ = ["DeadlineExceeded", "JobError", "WorkerDied", "WorkerError"]


class WorkerError(Exception):
    """Base of what can end a job without a reply."""


class JobError(WorkerError):
    """An exception inside of a job.

    `type` is the exception's class name, `details` strings by name: a place (`file`, `line`,
    `snippet`) on its way to a status. Raise one in a job to give details; any other exception
    arrives with its own name and text and no details.
    """

    def __init__(self, type: str, message: str, details: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.type = type
        self.message = message
        self.details = details or {}


class DeadlineExceeded(WorkerError):
    """The job ran past its deadline."""


class WorkerDied(WorkerError):
    """The worker ended before it replied; other jobs are not affected."""
