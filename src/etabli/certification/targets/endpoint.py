"""Any OpenAI-compatible assistant as a target, ours or not: what can be seen from outside, and nothing else."""

import platform
import time
from urllib.parse import urlsplit

from etabli.certification.base import JSON, Probe, Response
from etabli.certification.bundle import Bundle, make_bundle
from etabli.certification.targets.base import Abilities
from etabli.engines.base import ChatEngine
from etabli.errors import EtabliError
from etabli.models.machine import cpu_name


class EndpointTarget:
    """Implements `Target` over an address that a person named.

    Args:
        engine: asks that address.
        url: the address, for the certificate: what it stands for cannot be seen, so the bundle is its name.
        instructions: the system message, where the person who certifies gives one: then a canary can be added.
        slots: conversations at once.
        tools: whether it takes tools.
    """

    def __init__(
        self, engine: ChatEngine, *, url: str, instructions: str = "", slots: int = 4, tools: bool = True
    ) -> None:
        self._engine = engine
        self._url = url
        self._instructions = instructions
        self._tools = tools
        self.slots = slots

    @property
    def name(self) -> str:
        """Model and host."""
        return f"{self._engine.model}@{urlsplit(self._url).netloc}"

    @property
    def model(self) -> str:
        """The name it is asked by."""
        return self._engine.model

    @property
    def abilities(self) -> Abilities:
        """Documents reach it in the question only; who else it serves cannot be seen."""
        return Abilities(
            documents=True,
            other_readers=False,
            instructions=bool(self._instructions),
            tools=self._tools,
            citations=False,
        )

    @property
    def environment(self) -> JSON:
        """Of this machine, which only asks."""
        return {"cpu": cpu_name(), "machine": platform.machine(), "slots": self.slots, "endpoint": self._url}

    async def bundle(self) -> Bundle:
        """Address, name and instructions: a change of the weights behind them cannot be seen."""
        return make_bundle(
            self.name,
            {
                "endpoint": {"url": self._url, "model": self._engine.model, "weights": "not seen"},
                "instructions": {"instructions": self._instructions},
            },
        )

    async def converse(self, probe: Probe, *, seed: int) -> tuple[Response, ...]:
        """Send the turns of a probe one after the other; planted documents stand before the first question."""
        system = "\n".join(part for part in (self._instructions.strip(), probe.instructions_canary) if part)
        messages: list[JSON] = [{"role": "system", "content": system}] if system else []
        responses: list[Response] = []
        for number, turn in enumerate(probe.turns):
            text = turn
            if number == 0 and probe.plants:
                documents = "\n\n".join(f"### {plant.name}\n{plant.text}" for plant in probe.plants)
                text = f"{documents}\n\n---\n\n{turn}"
            messages.append({"role": "user", "content": text})
            body: JSON = {"messages": list(messages), "seed": seed}
            if probe.tools:
                body["tools"] = list(probe.tools)
            response = await self._ask(body)
            responses.append(response)
            if response.error:
                break
            messages.append({"role": "assistant", "content": response.text})
        return tuple(responses)

    async def _ask(self, body: JSON) -> Response:
        began = time.perf_counter()
        try:
            reply = await self._engine.complete(body)
        except EtabliError as error:
            return Response("", error=str(error), time_ms=round((time.perf_counter() - began) * 1000, 1))
        choice = reply["choices"][0]
        message = choice["message"]
        etabli = choice.get("etabli") or reply.get("etabli") or {}
        return Response(
            text=message.get("content") or "",
            abstained=etabli.get("abstained"),
            citations=tuple(_citation(one) for one in message.get("annotations") or () if "etabli" in one),
            tool_calls=tuple(message.get("tool_calls") or ()),
            finish_reason=choice.get("finish_reason") or "",
            usage={key: one for key, one in (reply.get("usage") or {}).items() if isinstance(one, int)},
            time_ms=round((time.perf_counter() - began) * 1000, 1),
        )

    def forget(self) -> None:
        """Nothing is remembered."""

    async def aclose(self) -> None:
        """Give back connections."""
        await self._engine.aclose()


def _citation(annotation: JSON) -> JSON:
    one = annotation["etabli"]
    return {
        "number": one["number"],
        "status": one["status"],
        "document": one["document_name"],
        "quote": one["quote"],
    }
