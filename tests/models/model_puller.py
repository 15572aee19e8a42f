"""Pulls the small model in its own process: `model_puller.py MODELS_DIR MIRROR_URL DATA_FILE`; prints JSON."""

import json
import sys
import tempfile
from pathlib import Path

from small_models import QUICK, small_catalogue

from etabli.models.pull import PullOptions, pull
from etabli.settings import Settings


def main() -> None:
    models_dir, mirror_url, data_file = sys.argv[1:]
    with tempfile.TemporaryDirectory() as workspace:
        settings = Settings(workspace=Path(workspace), models_dir=Path(models_dir), mirror_url=mirror_url)
        catalogue = small_catalogue(Path(data_file).read_bytes())
        print("ready", flush=True)
        sys.stdin.readline()
        done = pull(settings, "small", options=PullOptions(limits=QUICK), catalogue=catalogue)
    print(json.dumps({"fetched": done.fetched, "path": str(done.path)}), flush=True)


if __name__ == "__main__":
    main()
