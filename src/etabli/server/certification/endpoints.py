"""Targets elsewhere: any OpenAI-compatible address whose host the settings allow."""

from collections.abc import Callable
from urllib.parse import urlsplit

from etabli.certification.targets.base import Target
from etabli.certification.targets.endpoint import EndpointTarget
from etabli.engines.openai import OpenAIEngine
from etabli.errors import EgressDeniedError, InvalidInputError
from etabli.messages import tr
from etabli.outbound import host_allowed
from etabli.server.certification.services import Endpoint
from etabli.settings import Settings


def endpoint_targets(settings: Settings) -> Callable[[Endpoint], Target]:
    """What makes a target of an address.

    At the command line a person allows a host by naming it; here a browser or a script does: only this machine
    and the hosts listed as `outbound` may be asked.
    """

    def make(endpoint: Endpoint) -> Target:
        parts = urlsplit(endpoint.base_url)
        if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
            raise InvalidInputError(
                tr(
                    "The address is kept and shown, so it may hold no name, no password and no question mark. Give "
                    "the key on its own."
                ),
                param="target.base_url",
            )
        host = parts.hostname or ""
        if not host_allowed(host, settings.outbound):
            raise EgressDeniedError(
                tr(
                    "{host} is not an allowed address. List it as `outbound` in etabli.toml, or examine it from the "
                    "command line: etabli certify --target.",
                    host=host[:200] or "?",
                )
            )
        engine = OpenAIEngine(endpoint.base_url, endpoint.api_key, model=endpoint.model)
        return EndpointTarget(engine, url=endpoint.base_url, instructions=endpoint.instructions)

    return make
