"""A whole installation from start to stop, as processes, and what happens when they are killed."""

import json
import os
import signal
import stat
from pathlib import Path

import httpx
import psutil
import pytest

from etabli.engines.fake import FakeEngine
from etabli.models.pull import ensure_model
from etabli.settings import load_settings
from product import FACT, QUESTION, REPLY, Product, fake_endpoints, fake_settings, wait_until


def ready_documents(product: Product) -> int:
    return int(product.json("documents", "status")["states"].get("ready", 0))


def test_start_answers_serves_and_stops(product: Product, office: Path) -> None:
    shown = product.start()
    assert f"? {QUESTION}" in shown
    assert REPLY in shown and "[2] ✓ badges.md (verified)" in shown
    assert "2 documents can be searched" in shown
    assert "\x1b" not in shown, "no control codes for a program that reads along"
    key_file = office / "data" / "run" / "api-key"
    key = key_file.read_text().strip()
    assert str(key_file) in shown and key not in shown
    assert stat.S_IMODE((office / "data").stat().st_mode) & 0o066 == 0
    for name in ("api-key", "server.json"):
        assert stat.S_IMODE((key_file.parent / name).stat().st_mode) == 0o600

    status = product.json("status")
    assert status["serving"] and status["engine"]["model"] == "fake"
    assert "key" not in status
    assert product.json("status", "--show-key")["key"] == key
    words = product.run("status")
    assert words.returncode == 0
    assert f"at {status['url']}/v1" in words.stdout and key not in words.stdout

    body = {"model": "office", "messages": [{"role": "user", "content": QUESTION}]}
    bearer = {"Authorization": f"Bearer {key}"}
    answer = httpx.post(f"{status['url']}/v1/chat/completions", json=body, headers=bearer, timeout=60)
    assert answer.json()["choices"][0]["message"]["content"] == REPLY
    assert httpx.post(f"{status['url']}/v1/chat/completions", json=body).status_code == 401

    notice = office.parent / "notice.md"
    notice.write_text("# Notice\n\nThe notice period is two months.\n", encoding="utf-8")
    added = product.run("documents", "add", str(notice), "-c", "general")
    assert "1 added" in added.stdout and "can be searched by their meaning" in added.stdout
    wait_until(lambda: ready_documents(product) == 3)
    assert product.run("ask", QUESTION).stdout.startswith(REPLY)

    again = product.run("start")
    assert again.returncode == 0
    assert f"already serves this workspace at {status['url']}" in again.stdout

    assert product.interrupt() == 0
    assert product.left_over() == []
    assert product.run("status").returncode == 3

    shown = product.start()
    assert QUESTION not in shown, "the first question is asked once"
    assert "Documents: 0 new or changed" in shown
    assert product.server is not None
    product.server.terminate()
    assert product.wait() == 0
    assert product.left_over() == []


def test_the_chat_can_be_opened_while_the_first_question_is_answered(office: Path) -> None:
    engine = FakeEngine([REPLY], delay_s=3_600)
    with fake_endpoints(engine) as url:
        product = Product(office, fake_settings(url))
        try:
            product.launch()
            shown = product.read_until(f"? {QUESTION}")
            assert shown.index("Ready in") < shown.index("/sign-in?link=") < shown.index(QUESTION)
            wait_until(lambda: engine.bodies)
            link = shown[shown.index("http://") :].split()[0]
            with httpx.Client(follow_redirects=True) as browser:
                assert browser.get(link, headers={"accept": "text/html"}).status_code == 200
                assert browser.get(link.partition("/sign-in")[0] + "/v1/etabli/me").status_code == 200
            assert product.server is not None and product.server.poll() is None
            os.killpg(product.server.pid, signal.SIGINT)
            said, _ = product.server.communicate(timeout=60)
            assert product.server.returncode == 0
            assert "nothing is lost" in said and "Traceback" not in said and "broke off" not in said
            assert not (office / "data" / "first-answer.json").exists(), "asked again at the next start"
            product.server = None
            assert product.left_over() == []
        finally:
            product.close()


@pytest.mark.slow
def test_start_speaks_french(product: Product) -> None:
    product.environment["LC_ALL"] = "fr_FR.UTF-8"
    done = product.run("start", "--once")
    assert done.returncode == 0, done.stderr
    assert "Base de données prête" in done.stdout
    assert "(vérifié)" in done.stdout
    assert product.left_over() == []


def test_a_model_that_cannot_be_had_is_said_with_the_ways_out(product: Product) -> None:
    del product.environment["ETABLI_ENGINE_URL"], product.environment["ETABLI_ENGINE_MODEL"]
    product.environment["ETABLI_MODELS_DIR"] = str(product.workspace / "models")
    product.environment["ETABLI_MIRROR_URL"] = "http://127.0.0.1:9/"
    product.environment["ETABLI_PACKAGE_INDEX_URL"] = "http://127.0.0.1:9/"
    done = product.run("start")
    assert done.returncode == 1
    assert "could not be had" in done.stderr and "Ways out:" in done.stderr
    assert "Traceback" not in done.stderr
    assert product.left_over() == []


@pytest.mark.slow
@pytest.mark.parametrize("part", ["main", "worker", "reader", "postgres"])
def test_a_killed_process_loses_nothing(product: Product, office: Path, part: str) -> None:
    folder = office / "documents" / "general"
    for number in range(30):
        (folder / f"page-{number}.md").write_text(f"# Page {number}\n\n{FACT} {number}\n", encoding="utf-8")
    product.start()
    wait_until(lambda: part in product.processes())
    for number in range(30, 60):  # so that there is work in hand
        (folder / f"page-{number}.md").write_text(f"# Page {number}\n\n{FACT} {number}\n", encoding="utf-8")
    product.run("documents", "add", str(folder), "--no-wait")
    for process in product.processes().get(part, []):
        process.kill()
    if part == "main":
        assert product.wait() == -signal.SIGKILL
        wait_until(lambda: not [line for line in product.left_over() if "postgres" not in line])
    else:
        wait_until(lambda: product.json("status").get("database", {}).get("status") == "ready")
        wait_until(lambda: product.json("status")["worker"]["status"] == "ready")
        assert product.interrupt() == 0
    product.start()
    wait_until(lambda: ready_documents(product) == 62)
    found = product.json("documents", "search", QUESTION, "-n", "50")
    assert len(found["passages"]) == 50
    assert product.interrupt() == 0
    assert product.left_over() == []


@pytest.mark.model
def test_with_a_real_model(office: Path) -> None:
    """start, ask, kill the engine, ask again, Ctrl-C: nothing is left."""
    product = Product(office, {"ETABLI_PORT": "0", "ETABLI_MODEL": "qwen2.5-coder-0.5b"})
    ensure_model(load_settings(office), "qwen2.5-coder-0.5b")
    try:
        shown = product.start()
        assert f"? {QUESTION}" in shown
        first = json.loads((office / "data" / "first-answer.json").read_text(encoding="utf-8"))
        assert first["question"] == QUESTION
        (engine,) = product.processes()["engine"]
        assert engine.cmdline()[-1] == "etabli.engines.llama_server", "no secret in the arguments"
        engine.kill()
        wait_until(
            lambda: (state := product.json("status")["engine"])["status"] == "ready" and state["starts"] == 2
        )
        assert product.json("ask", QUESTION)["trace"]["passages"]
        assert product.interrupt() == 0
        assert product.left_over() == []
        assert not psutil.pid_exists(engine.pid)
    finally:
        product.close()


@pytest.mark.model
def test_ctrl_c_in_the_middle_of_loading(office: Path) -> None:
    product = Product(office, {"ETABLI_PORT": "0", "ETABLI_MODEL": "qwen2.5-coder-0.5b"})
    ensure_model(load_settings(office), "qwen2.5-coder-0.5b")
    try:
        product.launch()
        assert product.server is not None
        wait_until(lambda: "postgres" in product.processes() and "worker" in product.processes())
        os.killpg(product.server.pid, signal.SIGINT)
        said, _ = product.server.communicate(timeout=60)
        assert product.server.returncode == 130
        assert "Traceback" not in said
        product.server = None
        assert product.left_over() == []
    finally:
        product.close()
