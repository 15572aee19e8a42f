"""What the server does beside requests, once a day and at its start."""

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from server_parts import BEARER, make_services
from starlette.testclient import TestClient

from etabli.server.app import create_app
from etabli.server.training.services import Training
from etabli.storage.database import Database
from training.training_parts import Room, look_without_tokens


def test_files_whose_time_is_over_are_deleted_while_it_serves(database: Database, tmp_path: Path) -> None:
    def none(*_: Any) -> Any:
        raise AssertionError("nothing is trained here")

    room = Room(database, tmp_path)
    files = room.files
    over = files.add_text("a", filename="over.txt", purpose="user_data")
    later = files.add_text("b", filename="later.txt", purpose="user_data")
    with database.owner() as connection:
        for file, age in ((over, timedelta(days=1)), (later, -timedelta(days=1))):
            connection.execute(
                "UPDATE uploaded_file SET expires_at = now() - %s WHERE id = %s", (age, file.id)
            )
    training = Training(
        organisation="test", files=files, jobs=room.store, adapters=room.adapters, submit=none, preflight=none,
        load=dict, loaded=tuple, checks=look_without_tokens,
    )  # fmt: skip
    services = make_services(tmp_path, database=database, training=training)
    with TestClient(create_app(services), headers=BEARER) as client:
        end = time.monotonic() + 60
        while client.get(f"/v1/files/{over.id}").status_code != 404:
            assert time.monotonic() < end, "it is deleted in the background"
            time.sleep(0.05)
        assert client.get(f"/v1/files/{later.id}").status_code == 200
    assert not files.path(over.id).exists() and files.path(later.id).exists()
