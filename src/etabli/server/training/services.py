"""What the routes of files, fine-tuning and adapters need of a workspace, as one value."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from etabli.training.adapters import AdapterRegistry
from etabli.training.checking import Checks
from etabli.training.files import UploadedFiles
from etabli.training.job_store import JobStore
from etabli.training.jobs import JobRequest, TrainingJob

JSON = dict[str, Any]


@dataclass(frozen=True)
class Training:
    """The parts.

    Attributes:
        organisation: name of the workspace, which owns every job.
        files: what was uploaded.
        jobs: the training jobs.
        adapters: what came out of them.
        submit: checks a request and keeps the job. Blocks.
        preflight: estimates a request without keeping anything; the second argument says whether a few real steps
            may be timed. Blocks for minutes then.
        load: has the engine hold what is approved; gives what it leaves out, with the reason. Blocks.
        loaded: names of the adapters that the engine holds now.
        checks: looks at uploaded training files.
    """

    organisation: str
    files: UploadedFiles
    jobs: JobStore
    adapters: AdapterRegistry
    submit: Callable[[JobRequest], TrainingJob]
    preflight: Callable[[JobRequest, bool], JSON]
    load: Callable[[], Mapping[str, str]]
    loaded: Callable[[], tuple[str, ...]]
    checks: Checks
