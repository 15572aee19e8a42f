"""Files, fine-tuning jobs and adapters over HTTP, driven by the official client against a real server."""

import io
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import httpx
import openai
import pytest
from openai.types.fine_tuning import FineTuningJob
from running_server import RunningServer
from server_parts import BEARER, KEY, make_services

from etabli.assistants.answering import Answerer
from etabli.assistants.specification import AssistantSpecification
from etabli.engines.fake import FakeEngine
from etabli.identity.accounts import OWNER_ID
from etabli.knowledge.search import Searcher
from etabli.server.app import create_app
from etabli.server.auth import Caller
from etabli.server.training.services import Training
from etabli.storage.database import Database
from etabli.training.jobs import JobRequest, TrainingJob
from etabli.training.submitting import plan_of_request, submit
from training.training_parts import BASE, Room, look_without_tokens, probed, rows


@dataclass
class Loaded:
    """The engine's adapters, as far as the server knows them."""

    room: Room
    names: tuple[str, ...] = ()
    left_out: dict[str, str] = field(default_factory=dict)

    def load(self) -> dict[str, str]:
        approved = [one.name for one in self.room.adapters.list() if one.state == "approved"]
        self.names = tuple(name for name in approved if name not in self.left_out)
        return self.left_out


@dataclass
class Site:
    """A running server with training."""

    url: str
    room: Room
    engine: FakeEngine
    loaded: Loaded
    shelf: list[AssistantSpecification]

    def client(self) -> openai.OpenAI:
        return openai.OpenAI(base_url=f"{self.url}/v1", api_key=KEY, max_retries=0)

    def post(self, path: str, body: Any = None) -> httpx.Response:
        return httpx.post(self.url + path, json=body, headers=BEARER, timeout=30)

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.url + path, headers=BEARER, timeout=30)


class _Shelf:
    def __init__(self, assistants: list[AssistantSpecification]) -> None:
        self.assistants = assistants

    def list(self) -> Any:
        return [*self.assistants]

    def get(self, name: str) -> AssistantSpecification:
        return next(one for one in self.assistants if one.name == name)


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Iterator[Site]:
    room = Room(database, tmp_path)
    engine = FakeEngine([lambda body: f"said by {body.get('model')}"], model=BASE)
    loaded, shelf = Loaded(room), list[AssistantSpecification]()

    def keep(request: JobRequest) -> TrainingJob:
        return submit(request, store=room.store, files=room.files, models=room.models, folder=room.jobs,
                      workspace="Clinic")  # fmt: skip

    def preflight(request: JobRequest, calibrate: bool) -> dict[str, Any]:
        plan = plan_of_request(request, files=room.files, models=room.models, folder=room.jobs)
        return {"steps": 6, "base": plan.base, "calibrated": calibrate}

    training = Training(
        organisation="Clinic", files=room.files, jobs=room.store, adapters=room.adapters, submit=keep,
        preflight=preflight, load=loaded.load, loaded=lambda: loaded.names, checks=look_without_tokens,
    )  # fmt: skip
    services = make_services(
        tmp_path, database=database, engine=engine, training=training, assistants=_Shelf(shelf),
        answerer=Answerer(Searcher(database, None), database), embedder=None,
    )  # fmt: skip
    server = RunningServer(create_app(services))
    yield Site(server.url, room, engine, loaded, shelf)
    room.close()
    server.close()


def jsonl(values: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(one, ensure_ascii=False).encode() + b"\n" for one in values)


def upload(
    client: openai.OpenAI, values: list[dict[str, Any]] | None = None, name: str = "rows.jsonl"
) -> Any:
    return client.files.create(file=(name, jsonl(rows() if values is None else values)), purpose="fine-tune")


def until(client: openai.OpenAI, job: str, *states: str) -> Any:
    end = time.monotonic() + 60
    while (found := client.fine_tuning.jobs.retrieve(job)).status not in states:
        assert time.monotonic() < end, found
        time.sleep(0.05)
    return found


def test_the_life_of_a_file(site: Site) -> None:
    client = site.client()
    content = jsonl(rows())
    file = client.files.create(file=("dossier/fiches é.jsonl", io.BytesIO(content)), purpose="fine-tune")
    assert file.object == "file" and file.id.startswith("file-") and file.bytes == len(content)
    assert (file.filename, file.purpose, file.status, file.expires_at) == (
        "fiches é.jsonl",
        "fine-tune",
        "processed",
        None,
    )
    assert client.files.wait_for_processing(file.id, poll_interval=0.05).status == "processed"
    assert client.files.retrieve(file.id) == file
    assert client.files.content(file.id).read() == content
    other = client.files.create(
        file=b"x", purpose="user_data", expires_after={"anchor": "created_at", "seconds": 3600}
    )
    assert other.expires_at == other.created_at + 3600
    assert [one.id for one in client.files.list()] == [other.id, file.id]
    assert [one.id for one in client.files.list(limit=1, order="asc")] == [file.id, other.id], "page by page"
    assert [one.id for one in client.files.list(purpose="fine-tune")] == [file.id]
    deleted = client.files.delete(file.id)
    assert (deleted.id, deleted.object, deleted.deleted) == (file.id, "file", True)
    for call in (client.files.retrieve, client.files.delete, lambda key: client.files.content(key).read()):
        with pytest.raises(openai.NotFoundError, match="There is no file"):
            call(file.id)


def test_a_file_that_cannot_be_trained_on_says_why(site: Site) -> None:
    wrong = rows(20)
    del wrong[2]["messages"][0]["content"]
    file = upload(site.client(), wrong, "fiches.jsonl")
    assert (
        file.status == "error"
        and file.status_details
        and file.status_details.startswith("fiches.jsonl, line 3:")
    )


@pytest.mark.parametrize(
    ("parts", "param", "said"),
    [
        ({"data": {"purpose": "fine-tune"}}, "file", "in a part called “file”"),
        ({"files": {"file": ("a", b"x")}}, "purpose", "“purpose” is none; it must be one of"),
        ({"files": {"file": ("a", b"x")}, "data": {"purpose": "fun"}}, "purpose", "“purpose” is fun"),
        ({"files": {"file": ("a", b"")}, "data": {"purpose": "batch"}}, "file", "The file is empty"),
        (
            {"files": {"file": ("a", b"x")}, "data": {"purpose": "batch", "expires_after[anchor]": "now"}},
            "expires_after",
            "must be created_at",
        ),
        (
            {"files": {"file": ("a", b"x")},
             "data": {"purpose": "batch", "expires_after[anchor]": "created_at", "expires_after[seconds]": "5"}},
            "expires_after",
            "from 3600 to 2592000",
        ),
    ],
)  # fmt: skip
def test_forms_that_cannot_be_taken(site: Site, parts: dict[str, Any], param: str, said: str) -> None:
    answer = httpx.post(f"{site.url}/v1/files", headers=BEARER, **parts)
    assert answer.status_code == 400 and answer.json()["error"]["param"] == param
    assert said in answer.json()["error"]["message"]
    assert not [path for path in site.room.files.folder.rglob("*")], "nothing of it stays"


def test_the_life_of_a_job(site: Site) -> None:
    client = site.client()
    file, held_out = upload(client), upload(client, [
        {"messages": [{"role": "user", "content": f"Which bus goes to street {n}?"},
                      {"role": "assistant", "content": f"Bus {n * 3} does, every {n + 4} minutes from gate {n}."}]}
        for n in range(100, 115)
    ], "held-out.jsonl")  # fmt: skip
    job = client.fine_tuning.jobs.create(
        model=BASE, training_file=file.id, validation_file=held_out.id, suffix="Fiches", seed=11,
        metadata={"team": "secrétariat"},
        method={"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2, "batch_size": "auto"}}},
    )  # fmt: skip
    assert (
        job.object == "fine_tuning.job" and job.id.startswith("ftjob-") and job.status == "validating_files"
    )
    assert job.model == BASE and job.organization_id == "Clinic" and job.seed == 11
    assert (job.training_file, job.validation_file) == (file.id, held_out.id)
    assert job.fine_tuned_model is None and job.finished_at is None and job.trained_tokens is None
    assert job.error is None and job.result_files == [] and job.integrations == []
    assert (job.hyperparameters.n_epochs, job.hyperparameters.batch_size) == (2, 8)
    assert job.method and job.method.type == "supervised" and job.method.supervised
    assert job.method.supervised.hyperparameters.n_epochs == 2  # type: ignore[union-attr]
    assert job.metadata == {"team": "secrétariat"}
    with pytest.raises(openai.ConflictError, match="needs the file"):
        client.files.delete(file.id)

    site.room.runner()
    done = until(client, job.id, "succeeded", "failed")
    assert done.status == "succeeded" and done.finished_at and done.trained_tokens == 600
    assert done.fine_tuned_model.startswith(f"ft:{BASE}:clinic:fiches:")
    assert done.etabli["adapter_state"] == "trained"

    events = list(client.fine_tuning.jobs.list_events(job.id, limit=4))
    assert len(events) > 8 and len({one.id for one in events}) == len(events), "page by page"
    assert all(one.object == "fine_tuning.job.event" and one.id.startswith("ftevent-") for one in events)
    assert [one.created_at for one in events] == sorted((one.created_at for one in events), reverse=True)
    metrics = [one for one in events if one.type == "metrics"]
    assert [one.data["step"] for one in metrics] == [6, 5, 4, 3, 2, 1]  # type: ignore[index]
    assert {one.level for one in events} == {"info"}

    checkpoints = list(client.fine_tuning.jobs.checkpoints.list(job.id, limit=2))
    assert [one.step_number for one in checkpoints] == [6, 4, 2]
    assert checkpoints[0].object == "fine_tuning.job.checkpoint" and checkpoints[0].id.startswith("ftckpt-")
    assert checkpoints[0].fine_tuned_model_checkpoint == f"{done.fine_tuned_model}:ckpt-step-6"
    assert checkpoints[0].metrics.step == 6 and checkpoints[0].metrics.train_loss == pytest.approx(1 / 6)

    (result,) = done.result_files
    assert client.files.retrieve(result).purpose == "fine-tune-results"
    assert client.files.content(result).text.startswith("step,train_loss,")
    client.files.delete(file.id)


def test_jobs_are_listed_by_page_and_by_metadata(site: Site) -> None:
    client = site.client()
    file = upload(client).id
    made = [
        client.fine_tuning.jobs.create(model=BASE, training_file=file, metadata={"n": str(number)}).id
        for number in range(3)
    ]
    assert [one.id for one in client.fine_tuning.jobs.list(limit=2)] == made[::-1]
    assert [one.id for one in client.fine_tuning.jobs.list(metadata={"n": "1"})] == [made[1]]
    bare = client.fine_tuning.jobs.create(model=BASE, training_file=file).id
    assert [one["id"] for one in site.get("/v1/fine_tuning/jobs?metadata=null").json()["data"]] == [bare]
    with pytest.raises(openai.BadRequestError, match="not in this list"):
        client.fine_tuning.jobs.list(after="ftjob-0")


def test_pause_resume_cancel(site: Site) -> None:
    client = site.client()
    file = upload(client).id
    job = client.fine_tuning.jobs.create(model=BASE, training_file=file)
    site.room.script(site.room.store.get(job.id), steps=3000, step_s=0.02)
    site.room.runner()
    until(client, job.id, "running")
    end = time.monotonic() + 30
    while not client.fine_tuning.jobs.retrieve(job.id).estimated_finish:
        assert time.monotonic() < end
    asked = client.fine_tuning.jobs.pause(job.id)
    assert (asked.status, asked.etabli["wanted"]) == ("running", "pause"), "it has not come to it yet"  # type: ignore[index]
    while client.fine_tuning.jobs.retrieve(job.id).etabli["state"] != "paused":  # type: ignore[index]
        assert time.monotonic() < end
    (listed,) = client.fine_tuning.jobs.list().data
    for paused in (client.fine_tuning.jobs.retrieve(job.id), listed):
        assert paused.status == "queued", "OpenAI has no word for it"
        assert paused.etabli["state"] == "paused" and paused.etabli["wanted"] is None  # type: ignore[index]
        assert paused.finished_at is None and paused.estimated_finish is None
        strict = FineTuningJob.model_validate(paused.to_dict())
        assert strict.status in get_args(FineTuningJob.model_fields["status"].annotation)
    assert client.fine_tuning.jobs.resume(job.id).status == "queued"
    until(client, job.id, "running")
    client.fine_tuning.jobs.cancel(job.id)
    assert until(client, job.id, "cancelled").finished_at
    with pytest.raises(openai.ConflictError, match="was cancelled"):
        client.fine_tuning.jobs.cancel(job.id)
    with pytest.raises(openai.NotFoundError, match="There is no training job"):
        client.fine_tuning.jobs.retrieve("ftjob-0")


def test_events_are_english_for_programs_and_the_readers_for_the_page(site: Site) -> None:
    client = site.client()
    job = client.fine_tuning.jobs.create(model=BASE, training_file=upload(client).id)
    site.room.runner()
    until(client, job.id, "succeeded")
    french = {**BEARER, "Accept-Language": "fr"}
    told = httpx.get(f"{site.url}/v1/etabli/training/jobs/{job.id}/events?limit=1000", headers=french).json()
    page = {one["id"]: one["message"] for one in told["data"]}
    program = httpx.get(f"{site.url}/v1/fine_tuning/jobs/{job.id}/events?limit=1000", headers=french).json()
    api = {one["id"]: one["message"] for one in program["data"]}
    assert page.keys() == api.keys() and told["object"] == "list"
    assert "The training begins" in api.values() and "L’entraînement commence" in page.values()
    assert site.get("/v1/etabli/training/jobs/ftjob-0/events").status_code == 404


def test_what_the_probes_found_is_in_the_jobs_figures(site: Site) -> None:
    site.room.examiner.probes = probed()
    client = site.client()
    body = {"model": BASE, "training_file": upload(client).id}
    job = site.post("/v1/fine_tuning/jobs", {**body, "etabli": {"assistant": "fiches", "probes": 5}}).json()
    assert job["etabli"]["probes"] == 5 and job["etabli"]["progress"] is None
    refused = site.post("/v1/fine_tuning/jobs", {**body, "etabli": {"assistant": "fiches", "probes": 501}})
    assert refused.status_code == 400 and "probes" in refused.json()["error"]["param"]
    site.room.runner()
    until(client, job["id"], "succeeded")
    found = site.get(f"/v1/etabli/training/jobs/{job['id']}").json()["comparison"]["probes"]
    assert (
        found["assistant"] == "fiches"
        and found["harmed"]
        and found["turned"][0]["after"] == ["I am told to…"]
    )
    (entry,) = site.get("/v1/etabli/adapters").json()["data"]
    assert entry["figures"]["comparison"]["probes"]["families"][0]["n"] == 5


def test_a_job_whose_file_is_wrong_fails_as_openai_says_it(site: Site) -> None:
    client = site.client()
    wrong = rows(20)
    wrong[0]["messages"].pop()
    job = client.fine_tuning.jobs.create(model=BASE, training_file=upload(client, wrong).id)
    site.room.runner()
    failed = until(client, job.id, "failed")
    assert failed.error.code == "invalid_training_file" and failed.error.param == "training_file"
    assert "line 1" in failed.error.message and failed.fine_tuned_model is None


DPO = [
    {"input": {"messages": [{"role": "user", "content": f"Say {n} politely to visitor {n * 3}"}]},
     "preferred_output": [{"role": "assistant", "content": f"With pleasure: {n}, dear visitor {n * 3}."}],
     "non_preferred_output": [{"role": "assistant", "content": f"{n}, number {n * 3}!"}]}
    for n in range(20)
]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "method"),
    [
        ({}, "dpo"),
        ({"method": "auto"}, "dpo"),
        ({"method": {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.3, "n_epochs": "auto"}}}}, "dpo"),
        ({"hyperparameters": {"n_epochs": 4}, "method": {"type": "kto"}}, "kto"),
    ],
)
def test_methods(site: Site, given: dict[str, Any], method: str) -> None:
    file = upload(site.client(), DPO).id
    job = site.post("/v1/fine_tuning/jobs", {"model": BASE, "training_file": file, **given}).json()
    assert job["method"]["type"] == method and set(job["method"]) == {"type", method}
    values = job["method"][method]["hyperparameters"]
    assert values["beta"] == (0.3 if "dpo" in str(given) else 0.1)
    assert job["hyperparameters"]["n_epochs"] == (4 if "hyperparameters" in given else 3)
    assert job["hyperparameters"]["learning_rate_multiplier"] == 1.0


@pytest.mark.parametrize(
    ("change", "param", "said"),
    [
        (
            {"integrations": [{"type": "wandb", "wandb": {"project": "x"}}]},
            "integrations",
            "nothing of a training leaves",
        ),
        ({"method": {"type": "reinforcement"}}, "method", "Use supervised, dpo or kto"),
        ({"method": {"type": "dpo", "supervised": {}}}, "method", "options of supervised are given"),
        ({"method": {"type": "magic"}}, "method", "cannot be used"),
        ({"model": "gpt-4o-mini"}, "model", f"Those that are: {BASE}"),
        ({"training_file": "file-0"}, "training_file", "There is no file file-0"),
        ({"suffix": "x" * 65}, "suffix", "64"),
        ({"hyperparameters": {"n_epochs": 0}}, "hyperparameters", "epochs is 0"),
        ({"metadata": {"k": "x" * 513}}, "metadata", "512"),
        ({"etabli": {"aprove": True}}, "etabli.aprove", "cannot be used"),
    ],
)
def test_what_is_refused(site: Site, change: dict[str, Any], param: str, said: str) -> None:
    file = upload(site.client()).id
    answer = site.post("/v1/fine_tuning/jobs", {"model": BASE, "training_file": file, **change})
    error = answer.json()["error"]
    assert answer.status_code == 400 and error["param"].startswith(param) and said in error["message"], error


def test_an_approved_adapter_answers_under_its_name_and_in_assistants(site: Site) -> None:
    client = site.client()
    job = client.fine_tuning.jobs.create(model=BASE, training_file=upload(client).id, suffix="fiches")
    site.room.runner()
    name = until(client, job.id, "succeeded").fine_tuned_model
    assert name not in [one.id for one in client.models.list()]
    question: Any = [{"role": "user", "content": "Bonjour"}]
    with pytest.raises(openai.NotFoundError, match="no model or assistant"):
        client.chat.completions.create(model=name, messages=question)
    site.shelf.append(AssistantSpecification(name="fiches", title="Fiches", adapter=name))
    with pytest.raises(openai.InternalServerError, match="waits for approval"):
        client.chat.completions.create(model="fiches", messages=question)

    entry = site.post(f"/v1/etabli/adapters/{name}/approve").json()
    assert (entry["state"], entry["loaded"], entry["decided_by"]) == ("approved", True, f"account:{OWNER_ID}")
    assert name in [one.id for one in client.models.list()]
    assert client.models.retrieve(name).to_dict()["etabli"]["kind"] == "adapter"  # type: ignore[index]
    for model in (name, "fiches"):
        answer = client.chat.completions.create(model=model, messages=question)
        assert answer.choices[0].message.content == f"said by {name}"
    assert client.responses.create(model=name, input="Bonjour", store=False).output_text == f"said by {name}"
    assert client.completions.create(model=name, prompt="Bonjour").choices[0].text == f"said by {name}"

    retired = site.post(f"/v1/etabli/adapters/{name}/retire", {"reason": "old"}).json()
    assert (retired["state"], retired["loaded"], retired["reason"]) == ("retired", False, "old")
    with pytest.raises(openai.InternalServerError, match="it is retired"):
        client.chat.completions.create(model="fiches", messages=question)
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model=name, messages=question)
    again = site.post(f"/v1/etabli/adapters/{name}/refuse")
    assert again.status_code == 409 and "it is retired" in again.json()["error"]["message"]


def test_what_the_engine_does_not_hold_is_said(site: Site) -> None:
    client = site.client()
    job = client.fine_tuning.jobs.create(model=BASE, training_file=upload(client).id)
    site.room.runner()
    name = until(client, job.id, "succeeded").fine_tuned_model
    site.loaded.left_out = {name: "the engine holds 16 adapters at once, and these came first"}
    entry = site.post(f"/v1/etabli/adapters/{name}/approve").json()
    assert entry["state"] == "approved" and not entry["loaded"] and "16 adapters" in entry["not_loaded"]
    with pytest.raises(openai.ConflictError, match="the engine does not hold it"):
        client.chat.completions.create(model=name, messages=[{"role": "user", "content": "a"}])
    assert name not in [one.id for one in client.models.list()]


def test_figures_estimates_and_events_of_a_job(site: Site) -> None:
    client = site.client()
    body = {"model": BASE, "training_file": upload(client).id}
    estimate = site.post("/v1/etabli/training/preflight", {**body, "calibrate": True}).json()
    assert estimate == {
        "object": "etabli.preflight",
        "estimate": {"steps": 6, "base": BASE, "calibrated": True},
    }
    assert client.fine_tuning.jobs.list().data == []
    job = client.fine_tuning.jobs.create(**body)
    site.room.runner()
    with httpx.stream(
        "GET", f"{site.url}/v1/etabli/training/jobs/{job.id}/watch", headers=BEARER, timeout=60
    ) as found:
        lines = [line.removeprefix("data: ") for line in found.iter_lines() if line.startswith("data: ")]
    assert lines[-1] == "[DONE]" and json.loads(lines[-2])["status"] == "succeeded"
    whole = site.get(f"/v1/etabli/training/jobs/{job.id}").json()
    assert [one["step"] for one in whole["curve"]] == [1, 2, 3, 4, 5, 6]
    assert whole["gate"]["passed"] is True and whole["preflight"]["steps"] == 6
    assert whole["comparison"]["pairs"] == [] and whole["adapter"].startswith("ft:")
    (entry,) = site.get("/v1/etabli/adapters").json()["data"]
    assert entry == site.get(f"/v1/etabli/adapters/{entry['name']}").json()
    assert entry["figures"]["gate"]["passed"] is True and "pairs" not in entry["figures"]["comparison"]
    assert site.get("/v1/etabli/adapters/ft:x").status_code == 404


@pytest.mark.parametrize(
    "path",
    ["/v1/files", "/v1/files/file-0", "/v1/files/file-0/content", "/v1/fine_tuning/jobs", "/v1/fine_tuning/jobs/x",
     "/v1/fine_tuning/jobs/x/events", "/v1/fine_tuning/jobs/x/checkpoints", "/v1/etabli/adapters",
     "/v1/etabli/adapters/ft:x", "/v1/etabli/training/jobs/x"],
)  # fmt: skip
def test_nobody_but_the_owner(site: Site, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert httpx.get(site.url + path).status_code == 401
    of_account: Callable[[int], Caller] = Caller.of_account
    monkeypatch.setattr(Caller, "of_account", lambda number: of_account(number + 1))
    answer = site.get(path)
    assert (
        answer.status_code == 404
        and answer.json()["error"]["message"] == "There is nothing here for this account."
    )


def test_an_adapter_by_its_bare_name_is_the_owners(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    client = site.client()
    job = client.fine_tuning.jobs.create(model=BASE, training_file=upload(client).id)
    site.room.runner()
    name = until(client, job.id, "succeeded").fine_tuned_model
    assert site.post(f"/v1/etabli/adapters/{name}/approve").json()["loaded"]
    site.shelf.append(AssistantSpecification(name="fiches", title="Fiches", adapter=name))
    of_account: Callable[[int], Caller] = Caller.of_account
    monkeypatch.setattr(Caller, "of_account", lambda number: of_account(number + 1))
    question: Any = [{"role": "user", "content": "Bonjour"}]
    assert name not in [one.id for one in client.models.list()]
    for ask in (
        lambda: client.chat.completions.create(model=name, messages=question),
        lambda: client.completions.create(model=name, prompt="a"),
        lambda: client.responses.create(model=name, input="a", store=False),
    ):
        with pytest.raises(openai.NotFoundError, match="no model or assistant"):
            ask()
    answer = client.chat.completions.create(model="fiches", messages=question)
    assert answer.choices[0].message.content == f"said by {name}", "people get it through assistants"
