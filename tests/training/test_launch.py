"""Launches as files: what they say, what they refuse. No torch here."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from etabli.errors import ConfigurationError, InvalidInputError
from etabli.training.base import PLAN_FILE, TrainingPlan
from etabli.training.launch import (
    HELD_OUT_FILE,
    JOB_FOLDER,
    LAUNCH_FILE,
    TRAINING_FILE,
    check_shares,
    prepare,
    read_launch,
    trained,
)
from etabli.training.launched import accelerate_shares
from training.launches import commands, write

Make = Callable[..., tuple[Path, TrainingPlan]]


def test_a_launch_holds_what_was_decided(make_job: Make, tmp_path: Path) -> None:
    _, plan = make_job(rows=8, held_out=3, epochs=2)
    folder = tmp_path / "launch"
    launch = write(folder, plan, nodes=2)
    assert read_launch(folder) == launch and launch.together == 4
    assert (folder / TRAINING_FILE).read_bytes() == plan.training_file.read_bytes()
    job = prepare(folder, launch, plan.base_path, processes=4)
    there = TrainingPlan.model_validate_json((job / PLAN_FILE).read_text())
    assert there.hyperparameters == plan.hyperparameters and there.base_sha256 == plan.base_sha256
    assert there.validation_file == folder / HELD_OUT_FILE
    assert prepare(folder, launch, plan.base_path, processes=2) == job, (
        "another number goes on with the same plan"
    )


@pytest.mark.parametrize("method", ["supervised", "dpo", "kto"])
def test_every_method_keeps_its_hyperparameters(method: str, make_job: Make, tmp_path: Path) -> None:
    _, plan = make_job(method, **({} if method == "supervised" else {"beta": 0.3}))
    launch = write(tmp_path / "launch", plan)
    job = prepare(tmp_path / "launch", launch, plan.base_path, processes=2)
    there = TrainingPlan.model_validate_json((job / PLAN_FILE).read_text())
    assert (there.method, there.hyperparameters) == (plan.method, plan.hyperparameters)


def test_what_accelerate_reads(make_job: Make, tmp_path: Path) -> None:
    _, plan = make_job(gradient_checkpointing=True, batch_size=8)
    write(tmp_path / "launch", plan, nodes=2, processes=4)
    config = yaml.safe_load((tmp_path / "launch" / "accelerate.yaml").read_text())
    assert (config["distributed_type"], config["num_machines"], config["num_processes"]) == ("FSDP", 2, 8)
    assert config["mixed_precision"] == "bf16"
    assert config["fsdp_config"]["fsdp_version"] == 2
    assert config["fsdp_config"]["fsdp_activation_checkpointing"] is True
    lines = [words for words in commands(tmp_path / "launch") if words[0] == "accelerate"]
    assert [words[words.index("--machine_rank") + 1] for words in lines] == ["0", "1"]
    assert any(
        words[0] == "torchrun" and "8" not in words and "4" in words
        for words in commands(tmp_path / "launch")
    )


def test_what_ray_reads(make_job: Make, tmp_path: Path) -> None:
    _, plan = make_job(batch_size=8)
    write(tmp_path / "launch", plan, "ray", nodes=2, processes=4)
    text = (tmp_path / "launch" / "ray_job.py").read_text()
    compile(text, "ray_job.py", "exec")
    assert re.search(r"^PROCESSES = 8$", text, re.MULTILINE)
    assert not (tmp_path / "launch" / "accelerate.yaml").exists()


def test_a_folder_that_is_there_is_left_alone(make_job: Make, tmp_path: Path) -> None:
    _, plan = make_job()
    (tmp_path / "launch").mkdir()
    (tmp_path / "launch" / "mine").write_text("")
    with pytest.raises(ConfigurationError, match="is there already"):
        write(tmp_path / "launch", plan)


@pytest.mark.parametrize(("batch_size", "processes", "nearest"), [(8, 3, 9), (1, 2, 2), (10, 4, 8)])
def test_processes_that_cannot_share_a_step(batch_size: int, processes: int, nearest: int) -> None:
    with pytest.raises(ConfigurationError, match=rf"multiple of {processes}, such as {nearest}"):
        check_shares(batch_size, processes)
    check_shares(nearest, processes)


def test_refused_where_it_is_written_and_where_it_runs(make_job: Make, tmp_path: Path) -> None:
    _, plan = make_job(batch_size=4)
    with pytest.raises(ConfigurationError, match="3 processes cannot share 4 examples"):
        write(tmp_path / "three", plan, processes=3)
    launch = write(tmp_path / "launch", plan)
    with pytest.raises(ConfigurationError, match="8 processes cannot share 4 examples"):
        prepare(tmp_path / "launch", launch, plan.base_path, processes=8)


def test_another_base_is_refused(make_job: Make, tmp_path: Path) -> None:
    _, plan = make_job()
    launch = write(tmp_path / "launch", plan)
    changed = bytearray(plan.base_path.read_bytes())
    changed[-1] ^= 1
    other = tmp_path / "other.gguf"
    other.write_bytes(changed)
    with pytest.raises(
        ConfigurationError, match=f"other.gguf is not the base tiny .* {plan.base_sha256[:12]}"
    ):
        prepare(tmp_path / "launch", launch, other, processes=2)
    other.write_bytes(changed[:100])
    with pytest.raises(ConfigurationError, match="100 bytes"):
        prepare(tmp_path / "launch", launch, other, processes=2, reads_base=False)
    with pytest.raises(ConfigurationError, match="gone.gguf cannot be read: No such file"):
        prepare(tmp_path / "launch", launch, tmp_path / "gone.gguf", processes=2)
    command = [
        sys.executable,
        "-m",
        "etabli.training.launched",
        str(tmp_path / "launch"),
        "--base",
        str(other),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "is not the base" in done.stderr and "Traceback" not in done.stderr


def test_changed_folders_are_refused(make_job: Make, tmp_path: Path) -> None:
    _, plan = make_job(held_out=2)
    folder = tmp_path / "launch"
    write(folder, plan)
    with (folder / HELD_OUT_FILE).open("a") as file:
        file.write("{}\n")
    with pytest.raises(ConfigurationError, match=f"{HELD_OUT_FILE} is gone or is not what was checked"):
        read_launch(folder)
    value = json.loads((folder / LAUNCH_FILE).read_text())
    value["recipe"]["data"] = "../elsewhere.jsonl"
    (folder / LAUNCH_FILE).write_text(json.dumps(value))
    with pytest.raises(ConfigurationError, match="was changed and cannot be used"):
        read_launch(folder)
    with pytest.raises(ConfigurationError, match="holds no launch"):
        read_launch(tmp_path)


def test_a_job_of_another_training_is_not_taken_up(make_job: Make, tmp_path: Path) -> None:
    _, plan = make_job()
    launch = write(tmp_path / "launch", plan)
    prepare(tmp_path / "launch", launch, plan.base_path, processes=2)
    moved = tmp_path / "moved.gguf"
    moved.write_bytes(plan.base_path.read_bytes())
    with pytest.raises(ConfigurationError, match="began as another training"):
        prepare(tmp_path / "launch", launch, moved, processes=2)


def test_nothing_comes_back_before_the_end(make_job: Make, tmp_path: Path) -> None:
    _, plan = make_job()
    write(tmp_path / "launch", plan)
    with pytest.raises(InvalidInputError, match=f"{JOB_FOLDER}/adapter.gguf is missing"):
        trained(tmp_path / "launch")


@pytest.mark.parametrize(
    ("name", "value"),
    [("FSDP_VERSION", "1"), ("FSDP_OFFLOAD_PARAMS", "true"), ("FSDP_ACTIVATION_CHECKPOINTING", "true")],
)
def test_what_accelerate_asks_for_must_be_what_is_done(
    name: str, value: str, make_job: Make, tmp_path: Path
) -> None:
    _, plan = make_job()
    launch = write(tmp_path / "launch", plan)
    assert not accelerate_shares(launch, {})
    assert accelerate_shares(launch, {"ACCELERATE_USE_FSDP": "true", "FSDP_VERSION": "2"})
    with pytest.raises(ConfigurationError, match=f"says {name.lower()} = {value}"):
        accelerate_shares(launch, {"ACCELERATE_USE_FSDP": "true", name: value})
