"""Answers that outlive their connection: background, resuming, several clients, cancelling, a server that stops."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import openai
import pytest
from running_server import RunningServer
from server_parts import BEARER, KEY, MakeServices, ScriptedAnswerer, answer

from etabli.assistants.answer import Event, Stage, TextDelta
from etabli.conversations.turns import Turns
from etabli.engines.fake import FakeEngine
from etabli.identity.sessions import Sessions
from etabli.server.app import create_app
from etabli.server.auth import Caller, SessionCookie
from etabli.server.openai.responses.protocol import ResponseRequest
from etabli.server.openai.responses.runs import Runs
from etabli.server.openai.responses.service import Responses
from etabli.storage.database import Database

WORDS = [f"mot{number} " for number in range(40)]
TEXT = "".join(WORDS)
Wait = Callable[..., None]


def slow(delay_s: float = 0.02) -> ScriptedAnswerer:
    """Forty words, one after the other."""
    script: list[Event] = [Stage("writing"), *(TextDelta(word) for word in WORDS), answer(TEXT)]
    return ScriptedAnswerer([script], delay_s=delay_s)


def endless() -> ScriptedAnswerer:
    """Words for as long as anybody waits."""
    return ScriptedAnswerer([[Stage("writing"), *(TextDelta("mot ") for _ in range(10_000))]], delay_s=0.01)


@contextmanager
def following(url: str, *, body: dict[str, Any] | None = None) -> Iterator[Iterator[dict[str, Any]]]:
    """The events of a stream as they come: of one that is there, or of a new one with `body`."""
    method = "GET" if body is None else "POST"
    with httpx.stream(method, url, headers=BEARER, timeout=60, json=body) as response:
        assert response.status_code == 200, response.read()
        yield (
            json.loads(line.removeprefix("data: "))
            for line in response.iter_lines()
            if line.startswith("data: {")
        )


def start(url: str, **body: Any) -> dict[str, Any]:
    """Begin in the background and give the response as it begins."""
    response = httpx.post(
        f"{url}/v1/responses", headers=BEARER, json={"model": "rh", "input": "q", "background": True, **body}
    )
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def get(url: str, path: str) -> dict[str, Any]:
    response = httpx.get(f"{url}/v1/{path}", headers=BEARER)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def text_of(response: dict[str, Any]) -> str:
    return "".join(
        part["text"] for item in response["output"] if item["type"] == "message" for part in item["content"]
    )


def test_in_the_background(serve: Callable[..., str], database: Database, wait_until: Wait) -> None:
    url = serve(database=database, answerer=slow())
    begun = start(url)
    assert begun["status"] == "in_progress" and begun["background"] is True
    with openai.OpenAI(base_url=f"{url}/v1", api_key=BEARER["authorization"].split()[1]) as api:
        wait_until(lambda: api.responses.retrieve(begun["id"]).status == "completed")
        assert api.responses.retrieve(begun["id"]).output_text == TEXT


def test_resuming_where_the_connection_was_lost(serve: Callable[..., str], database: Database) -> None:
    answerer = slow()
    url = serve(database=database, answerer=answerer)
    seen = []
    with following(
        f"{url}/v1/responses",
        body={"model": "rh", "input": "q", "background": True, "stream": True},
    ) as events:
        for event in events:
            seen.append(event)
            if len(seen) == 12:
                break
    key = seen[0]["response"]["id"]
    with following(
        f"{url}/v1/responses/{key}?stream=true&starting_after={seen[-1]['sequence_number']}"
    ) as rest:
        seen.extend(rest)
    assert [event["sequence_number"] for event in seen] == list(range(len(seen)))
    assert "".join(e["delta"] for e in seen if e["type"] == "response.output_text.delta") == TEXT
    assert seen[-1]["type"] == "response.completed" and answerer.cancelled == 0


def test_several_clients_follow_one_answer(serve: Callable[..., str], database: Database) -> None:
    url = serve(database=database, answerer=slow())
    key = start(url)["id"]
    streams: list[list[dict[str, Any]]] = [[], [], []]

    def follow(target: list[dict[str, Any]]) -> None:
        with following(f"{url}/v1/responses/{key}?stream=true") as events:
            target.extend(events)

    threads = [threading.Thread(target=follow, args=(target,)) for target in streams]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert streams[0] == streams[1] == streams[2]
    assert streams[0][0]["type"] == "response.created" and streams[0][-1]["type"] == "response.completed"


def test_late_clients_get_the_last_events_again(
    serve: Callable[..., str], database: Database, wait_until: Wait
) -> None:
    url = serve(database=database, answerer=slow(0))
    key = start(url)["id"]
    wait_until(lambda: get(url, f"responses/{key}")["status"] == "completed")
    other = serve(database=database, answerer=slow(0))  # knows the response from the database alone
    with following(f"{other}/v1/responses/{key}?stream=true&starting_after=20") as events:
        again = list(events)
    assert [event["type"] for event in again] == ["response.output_item.done", "response.completed"]
    assert [event["sequence_number"] for event in again] == [21, 22]
    assert text_of(again[-1]["response"]) == TEXT


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_leaves_stops_its_answer(
    serve: Callable[..., str], database: Database, wait_until: Wait, stream: bool
) -> None:
    answerer = endless()
    url = serve(database=database, answerer=answerer)
    body = {"model": "rh", "input": "q", "stream": stream}
    if stream:
        with following(f"{url}/v1/responses", body=body) as events:
            next(event for event in events if event["type"] == "response.output_text.delta")
    else:
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{url}/v1/responses", headers=BEARER, json=body, timeout=1)
    wait_until(lambda: answerer.cancelled == 1)


def test_a_client_that_leaves_a_background_answer_changes_nothing(
    serve: Callable[..., str], database: Database, wait_until: Wait
) -> None:
    answerer = slow()
    url = serve(database=database, answerer=answerer)
    body = {"model": "rh", "input": "q", "stream": True, "background": True}
    with following(f"{url}/v1/responses", body=body) as events:
        key = next(events)["response"]["id"]
    wait_until(lambda: get(url, f"responses/{key}")["status"] == "completed")
    assert answerer.cancelled == 0


def test_cancelling_keeps_the_text_so_far(
    serve: Callable[..., str], database: Database, wait_until: Wait
) -> None:
    answerer = endless()
    url = serve(database=database, answerer=answerer)
    key = start(url)["id"]
    with following(f"{url}/v1/responses/{key}?stream=true") as events:
        next(event for event in events if event["type"] == "response.output_text.delta")
        cancelled = httpx.post(f"{url}/v1/responses/{key}/cancel", headers=BEARER).json()
        last = list(events)[-1]
    assert cancelled["status"] == "cancelled" and text_of(cancelled).startswith("mot ")
    assert cancelled["output"][0]["status"] == "incomplete"
    assert last["type"] == "response.incomplete" and last["response"] == cancelled
    assert answerer.cancelled == 1
    again = httpx.post(f"{url}/v1/responses/{key}/cancel", headers=BEARER).json()
    assert again["id"] == key and again["status"] == "cancelled"
    assert get(url, f"responses/{key}")["output"] == cancelled["output"]


def test_a_server_that_stops_leaves_the_answer_incomplete(
    services: MakeServices, serve: Callable[..., str], database: Database
) -> None:
    first = RunningServer(create_app(services(database=database, answerer=endless())))
    url = first.url
    key = start(url)["id"]
    with following(f"{url}/v1/responses/{key}?stream=true") as events:
        next(event for event in events if event["type"] == "response.output_text.delta")
    first.close()
    after = get(serve(database=database, answerer=endless()), f"responses/{key}")
    assert after["status"] == "incomplete" and after["incomplete_details"] == {"reason": "server_stopped"}
    assert text_of(after).startswith("mot ")


def test_a_server_that_is_killed_leaves_what_was_saved(
    serve: Callable[..., str], database: Database, wait_until: Wait
) -> None:
    """The first server is never told: to the database it is as if its process had died."""
    url = serve(database=database, answerer=endless())
    key = start(url)["id"]
    wait_until(lambda: text_of(get(url, f"responses/{key}")))  # saved about every second
    assert get(url, f"responses/{key}")["status"] == "in_progress"
    other = serve(database=database, answerer=endless())
    after = get(other, f"responses/{key}")
    assert after["status"] == "incomplete" and after["incomplete_details"] == {"reason": "server_stopped"}
    assert text_of(after).startswith("mot ") and after["output"][0]["status"] == "incomplete"


def test_a_question_waits_for_the_answer_before_it(serve: Callable[..., str], database: Database) -> None:
    url = serve(database=database, answerer=endless())
    conversation = httpx.post(f"{url}/v1/conversations", headers=BEARER, json={}).json()["id"]
    first = start(url, conversation=conversation)
    refused = httpx.post(
        f"{url}/v1/responses",
        headers=BEARER,
        json={"model": "rh", "input": "q", "conversation": conversation},
    )
    assert refused.status_code == 409 and refused.headers["x-should-retry"] == "false"
    listed = get(url, "etabli/conversations")["data"]
    assert [one["running"] for one in listed] == [True]
    httpx.post(f"{url}/v1/responses/{first['id']}/cancel", headers=BEARER)
    assert get(url, "etabli/conversations")["data"][0]["running"] is False


def test_removing_a_conversation_stops_what_is_written_in_it(
    serve: Callable[..., str], database: Database, wait_until: Wait
) -> None:
    answerer = endless()
    url = serve(database=database, answerer=answerer)
    conversation = httpx.post(f"{url}/v1/conversations", headers=BEARER, json={}).json()["id"]
    key = start(url, conversation=conversation)["id"]
    with following(f"{url}/v1/responses/{key}?stream=true") as events:
        next(event for event in events if event["type"] == "response.output_text.delta")
        assert httpx.delete(f"{url}/v1/conversations/{conversation}", headers=BEARER).json()["deleted"]
    wait_until(lambda: answerer.cancelled == 1)
    assert httpx.get(f"{url}/v1/responses/{key}", headers=BEARER).status_code == 404


def test_another_account_cannot_follow_or_stop_a_run(serve: Callable[..., str], database: Database) -> None:
    url = serve(database=database, answerer=endless())
    key = start(url)["id"]
    with database.owner() as connection:
        connection.execute("INSERT INTO account (name) VALUES ('somebody else')")
    sessions = Sessions(database)
    cookie = sessions.sign_in(sessions.make_link(2))
    headers = {"cookie": f"{SessionCookie.of(KEY).name}={cookie}", "sec-fetch-site": "same-origin"}
    assert httpx.get(f"{url}/v1/models", headers=headers).status_code == 200
    for method, path in (("GET", ""), ("GET", "?stream=true"), ("POST", "/cancel"), ("DELETE", "")):
        refused = httpx.request(method, f"{url}/v1/responses/{key}{path}", headers=headers)
        assert refused.status_code == 404, (method, path)
    assert get(url, f"responses/{key}")["status"] == "in_progress"


def test_the_engine_lets_go_when_an_answer_is_stopped(
    serve: Callable[..., str], database: Database, wait_until: Wait
) -> None:
    engine = FakeEngine(["mot " * 2000], model="qwen-test", delay_s=0.01)
    url = serve(database=database, engine=engine)
    key = start(url, model="qwen-test")["id"]
    wait_until(lambda: engine.bodies)
    httpx.post(f"{url}/v1/responses/{key}/cancel", headers=BEARER)
    wait_until(lambda: engine.cancelled == 1)


def test_a_client_that_leaves_while_its_turn_is_stored_leaves_no_open_turn(
    services: MakeServices, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cancelled between the thread that stores the turn and the task that answers it."""
    answerer = endless()
    begun = threading.Event()
    may_go_on = threading.Event()
    begin = Turns.begin

    def slowly(self: Turns, *given: Any) -> Any:
        begun.set()
        may_go_on.wait(30)
        return begin(self, *given)

    monkeypatch.setattr(Turns, "begin", slowly)

    async def leave() -> None:
        runs = Runs()
        service = Responses(services(database=database, answerer=answerer), runs)
        request = ResponseRequest(model="rh", input="q")
        asking = asyncio.ensure_future(service.create(request, Caller.of_account(1)))
        await asyncio.to_thread(begun.wait, 30)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        may_go_on.set()
        while not await asyncio.to_thread(statuses):
            await asyncio.sleep(0.01)
        await runs.stop_all()
        while (await asyncio.to_thread(statuses)) != ["cancelled"]:
            await asyncio.sleep(0.01)

    def statuses() -> list[str]:
        with database.owner() as connection:
            return [status for (status,) in connection.execute("SELECT status FROM turn")]

    asyncio.run(asyncio.wait_for(leave(), 60))
    assert answerer.requests == []  # stopped before it began
