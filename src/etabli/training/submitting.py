"""Taking a training job in: everything that can be refused at once is, before anything is kept."""

from dataclasses import dataclass
from pathlib import Path

from etabli.errors import InvalidInputError, NotFoundError
from etabli.messages import tr
from etabli.models.store import Manifest, ModelStore
from etabli.training.base import Hyperparameters, Method, TrainingPlan
from etabli.training.files import TRAINING, UploadedFiles
from etabli.training.job_store import JobStore
from etabli.training.jobs import (
    JobRequest,
    TrainingJob,
    checked_suffix,
    draw_seed,
    method_of_file,
    model_name,
    resolve,
)
from etabli.training.running import require_room


@dataclass(frozen=True, slots=True)
class Resolved:
    """A request with everything decided.

    Attributes:
        base: manifest of the base model.
        base_path: its file.
        method: asked for, else that of the first example.
        seed: asked for, else drawn.
        hyperparameters: without any `auto`.
        suffix: trimmed.
    """

    base: Manifest
    base_path: Path
    method: Method
    seed: int
    hyperparameters: Hyperparameters
    suffix: str


def resolve_request(
    request: JobRequest, *, files: UploadedFiles, models: ModelStore, folder: Path
) -> Resolved:
    """Decide what a request leaves open.

    Args:
        request: what is asked.
        files: what was uploaded.
        models: the base models of this machine.
        folder: of the jobs, on whose disk checkpoints go.

    Raises:
        InvalidInputError: a part of the request cannot be used; `param` says which.
        DiskSpaceError: there is no room for checkpoints.
    """
    base = _base(request.base, models)
    path = models.path_of(base.sha256)
    training = _file(files, request.training_file, "training_file")
    if request.validation_file is not None:
        _file(files, request.validation_file, "validation_file")
        if request.validation_file == request.training_file:
            raise InvalidInputError(
                tr("The validation file is the training file: what was learnt by heart would look like skill. Hold "
                   "other examples out."),
                param="validation_file",
            )  # fmt: skip
    method = request.method or method_of_file(training) or "supervised"
    seed = request.seed if request.seed is not None else draw_seed()
    if not 0 <= seed < 2**31:
        raise InvalidInputError(tr("The seed must be a whole number from 0 to 2147483647."), param="seed")
    hyperparameters = resolve(request.hyperparameters, method, seed=seed)
    require_room(folder, path, rank=hyperparameters.rank)
    return Resolved(base, path, method, seed, hyperparameters, checked_suffix(request.suffix))


def submit(
    request: JobRequest,
    *,
    store: JobStore,
    files: UploadedFiles,
    models: ModelStore,
    folder: Path,
    workspace: str,
    job_id: str | None = None,
) -> TrainingJob:
    """Keep a new job; its files are looked at next.

    Args:
        request: what is asked.
        store: keeps it.
        files: what was uploaded.
        models: the base models of this machine.
        folder: of the jobs.
        workspace: name of the installation, for the adapter's name.
        job_id: of the job, where its folder is there already; a new one if None.

    Raises: as `resolve_request`.
    """
    resolved = resolve_request(request, files=files, models=models, folder=folder)
    return store.create(
        request,
        base_sha256=resolved.base.sha256,
        method=resolved.method,
        hyperparameters=resolved.hyperparameters,
        seed=resolved.seed,
        model_name=model_name(request.base, workspace, resolved.suffix),
        job_id=job_id,
    )


def plan_of_request(
    request: JobRequest, *, files: UploadedFiles, models: ModelStore, folder: Path
) -> TrainingPlan:
    """The plan that a job of this request would have; nothing is kept.

    Raises: as `resolve_request`.
    """
    resolved = resolve_request(request, files=files, models=models, folder=folder)
    held_out = request.validation_file
    return TrainingPlan(
        base=request.base,
        base_path=resolved.base_path.absolute(),
        base_sha256=resolved.base.sha256,
        method=resolved.method,
        training_file=files.path(request.training_file).absolute(),
        validation_file=files.path(held_out).absolute() if held_out is not None else None,
        hyperparameters=resolved.hyperparameters,
    )


def _base(name: str, models: ModelStore) -> Manifest:
    try:
        manifest = models.manifest(name)
    except InvalidInputError:
        manifest = None
    if manifest is None or not models.present(manifest):
        here = [one.name for one in models.manifests() if models.present(one)]
        raise InvalidInputError(
            tr(
                "There is no base model {name} on this machine. Those that are: {here}. Get another with: etabli "
                "models pull NAME",
                name=name,
                here=", ".join(here) or tr("none"),
            ),
            param="model",
        )
    return manifest


def _file(files: UploadedFiles, file_id: str, param: str) -> Path:
    try:
        file = files.get(file_id)
    except NotFoundError as error:
        raise InvalidInputError(str(error), param=param) from None
    if file.purpose != TRAINING:
        raise InvalidInputError(
            tr(
                "The file {id} was uploaded for “{purpose}”. Upload it with the purpose “fine-tune”.",
                id=file_id,
                purpose=file.purpose,
            ),
            param=param,
        )
    return files.path(file_id)
