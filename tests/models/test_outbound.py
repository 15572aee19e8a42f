"""The one HTTP client refuses what nobody allowed."""

import asyncio
from collections.abc import Callable

import httpx
import pytest
from model_server import FileServer, Served

from etabli.errors import EgressDeniedError
from etabli.outbound import async_http_client, host_allowed, http_client, is_loopback, masked
from etabli.settings import Settings

Make = Callable[..., Settings]


def test_loopback_is_allowed_and_others_are_not(server: FileServer, make_settings: Make) -> None:
    server.files["/x"] = Served(b"here")
    with http_client(make_settings(), purpose="a test") as client:
        assert client.get(f"{server.url}/x").content == b"here"
        with pytest.raises(EgressDeniedError, match=r"hub\.example\.org \(a test\)"):
            client.get("https://hub.example.org/x")


def test_the_settings_and_the_call_allow_hosts(make_settings: Make) -> None:
    settings = make_settings(outbound=("models.example.invalid",))
    with http_client(settings, purpose="a test", allow=["*.cdn.invalid"]) as client:
        for host in ("models.example.invalid", "eu.cdn.invalid"):
            with pytest.raises(httpx.ConnectError):
                client.get(f"http://{host}/")
        with pytest.raises(EgressDeniedError):
            client.get("http://cdn.invalid/")


def test_redirects_are_checked(server: FileServer, make_settings: Make) -> None:
    server.redirects["/out"] = ("http://other.example.org/", {})
    with http_client(make_settings(), purpose="a test") as client:
        with pytest.raises(EgressDeniedError):
            client.get(f"{server.url}/out")


def test_the_async_client_has_the_same_rules(server: FileServer, make_settings: Make) -> None:
    server.files["/x"] = Served(b"here")
    server.redirects["/out"] = ("http://other.example.org/", {})

    async def check() -> None:
        async with async_http_client(make_settings(), purpose="a test") as client:
            assert (await client.get(f"{server.url}/x")).content == b"here"
            for url in ("http://other.example.org/", f"{server.url}/out"):
                with pytest.raises(EgressDeniedError):
                    await client.get(url)

    asyncio.run(check())


def test_loopback_never_goes_through_a_proxy(
    server: FileServer, make_settings: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.files["/x"] = Served(b"direct")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with http_client(make_settings(), purpose="a test") as client:
        assert client.get(f"{server.url}/x").content == b"direct"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "[::1]", "LOCALHOST"])
def test_loopback_names(host: str) -> None:
    assert is_loopback(host) and host_allowed(host, [])


@pytest.mark.parametrize(
    "host", ["127.0.0.1.example.org", "localhost.org", "10.0.0.1", "0.0.0.0", "", "hf.co"]
)
def test_names_that_only_look_like_it(host: str) -> None:
    assert not host_allowed(host, ["*.hf.co", "huggingface.co"])


def test_addresses_are_masked() -> None:
    assert masked("https://a:b@c.example.org:8443/d?e=f#g") == "https://c.example.org:8443/d"
