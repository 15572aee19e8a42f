"""A stand-in for llama.cpp: a child that says in its answers which process and which adapter gave them."""

from typing import Any

from etabli.engines.base import ChatEngine
from etabli.engines.sizing import EngineSize

BODY: dict[str, Any] = {"messages": [{"role": "user", "content": "Bonjour"}]}
SIZE = EngineSize(1, 4096, 2, 0, 0, "")
STAND_IN = """
import json, os, socket, sys
import uvicorn
from etabli.engines.fake import FakeEngine
from etabli.engines.fake_app import fake_app
from etabli.processes import exit_at_eof
config = json.loads(sys.stdin.buffer.readline())
exit_at_eof(sys.stdin.buffer)
if any("broken" in path for path in config["adapters"]):
    print(json.dumps({"error": "this adapter cannot be read"}), flush=True)
    sys.exit(1)
def reply(body):
    chosen = [config["adapters"][one["id"]] for one in body.get("lora", ()) if one["scale"]]
    return " ".join([f"{os.getpid()}:{os.path.basename(chosen[0]) if chosen else 'base'}"] * body.get("words", 3))
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
engine = FakeEngine([reply], delay_s=0.01, model=config["model_name"])
server = uvicorn.Server(uvicorn.Config(fake_app(engine, key=config["api_key"]), log_level="critical"))
listener.listen()
print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
server.run(sockets=[listener])
"""


async def text_of(engine: ChatEngine, **body: Any) -> str:
    """The text of an answer."""
    answer = await engine.complete({**BODY, **body})
    return str(answer["choices"][0]["message"]["content"])
