"""The address that opens the chat: printed when it is ready, and by `etabli sign-in`."""

import re

import httpx

from product import Product

ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/sign-in\?link=[\w-]{43}")
HTML = {"accept": "text/html"}


def test_addresses_open_the_chat_once(product: Product) -> None:
    shown = ADDRESS.search(product.start())
    assert shown, "printed by start"
    printed = product.run("sign-in")
    assert printed.returncode == 0 and ADDRESS.fullmatch(printed.stdout.strip())
    assert "once, within 15 minutes" in printed.stderr
    for address in (shown[0], printed.stdout.strip()):
        with httpx.Client(follow_redirects=True, headers=HTML) as browser:
            page = browser.get(address)
            assert page.status_code == 200 and page.url.path == "/" and "<etabli-chat" in page.text
            assert browser.get(page.url.join("/v1/etabli/me")).json()["account"]["name"] == "owner"
        assert httpx.get(address, headers=HTML).status_code == 403, "used"
    log = (product.workspace / "data" / "logs" / "server.log").read_text(encoding="utf-8")
    assert "/sign-in" in log and shown[0].partition("link=")[2] not in log
    assert product.interrupt() == 0
    refused = product.run("sign-in")
    assert refused.returncode == 1 and "Start it with: etabli start -w" in refused.stderr
