from pathlib import Path

from pydantic import SecretStr

from etabli.settings import Settings
from etabli.storage.backup import create_backup
from etabli.storage.backup_format import open_backup
from etabli.storage.database import Database
from training.training_parts import PASSED, Room


def test_jobs_files_and_adapters_are_in_a_backup_and_checkpoints_are_not(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    settings = Settings(workspace=tmp_path / "office", database_url=SecretStr(database_url))
    settings.data_dir.mkdir(parents=True)
    (settings.workspace / "etabli.toml").write_text("")
    room = Room(database, settings.data_dir)
    job = room.submit()
    room.script(job, steps=2)
    (room.jobs / job.id / "checkpoints").mkdir()
    (room.jobs / job.id / "checkpoints" / "state").write_text("large")
    made = tmp_path / "made.gguf"
    made.write_text("adapter")
    adapter = room.adapters.add(
        made,
        name=job.model_name,
        base=job.base,
        base_sha256=job.base_sha256,
        job_id=job.id,
        figures={"gate": PASSED},
    )
    room.adapters.approve(adapter.name, "somebody")

    target = tmp_path / "today.etabli"
    create_backup(settings, target)
    with open_backup(target) as backup:
        paths = {file.path for file in backup.manifest.files}
        rows = {table.name: table.rows for table in backup.manifest.tables}
    assert {
        f"data/uploads/{job.training_file}",
        f"data/adapters/{adapter.sha256}.gguf",
        "data/adapters/approved.json",
    } <= paths
    assert not [path for path in paths if path.startswith("data/training")]
    assert (
        rows["training_job"] == rows["uploaded_file"] == rows["adapter"] == 1 and rows["training_event"] > 0
    )
