"""Run the product inside a network namespace without any route, after proving that there is none.

Loopback is brought up; nothing else is there.

    python offline_product.py WORKSPACE [--fake]

Prints what `etabli start --once` and `etabli ask --json` printed.
"""

import errno
import fcntl
import socket
import struct
import sys
from pathlib import Path

from product import QUESTION, Product, fake_endpoints, fake_settings

_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1
_DOCUMENTATION_ADDRESS = ("192.0.2.1", 443)  # RFC 5737: belongs to nobody


def raise_loopback() -> None:
    """`ip link set lo up`, without the program `ip`."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        request = struct.pack("16sh14x", b"lo", 0)
        (flags,) = struct.unpack_from("h", fcntl.ioctl(handle, _SIOCGIFFLAGS, request), 16)
        fcntl.ioctl(handle, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | _IFF_UP))


def assert_no_route() -> None:
    """Make sure that the outside cannot be reached: else the test would prove nothing."""
    with socket.socket() as handle:
        handle.settimeout(5)
        found = handle.connect_ex(_DOCUMENTATION_ADDRESS)
    if found != errno.ENETUNREACH:
        sys.exit(f"there is a way out of this namespace: {errno.errorcode.get(found, found)}")


def main() -> None:
    """See the module."""
    raise_loopback()
    assert_no_route()
    workspace = Path(sys.argv[1])
    if "--fake" in sys.argv:
        with fake_endpoints() as url:
            run(Product(workspace, fake_settings(url)))
    else:
        run(Product(workspace, {"ETABLI_PORT": "0", "ETABLI_MODEL": "qwen2.5-coder-0.5b"}))


def run(product: Product) -> None:
    """Start, ingest, answer, stop; then one more question by a command of its own."""
    for words in (["start", "--once"], ["ask", QUESTION, "--json"]):
        done = product.run(*words)
        print(done.stdout, flush=True)
        if done.returncode != 0:
            sys.exit(done.stderr)


if __name__ == "__main__":
    main()
