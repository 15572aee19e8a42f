"""A worker that misbehaves on demand, to try its sandbox from the inside: the file's name says how."""

import ctypes
import os
import signal
import socket
import subprocess
import time
from typing import Any

from etabli.knowledge.readers import worker

GIB = 1 << 30

libc = ctypes.CDLL(None, use_errno=True)


def misbehave(request: dict[str, Any]) -> None:
    word, _, argument = request["name"].partition("=")
    if word == "connect":
        socket.create_connection(("127.0.0.1", int(argument)), timeout=2)
    elif word == "connect-in-c":
        connect_in_c(int(argument))
    elif word == "write":
        open(argument, "w").close()
    elif word == "write-in-c":
        descriptor = libc.open(argument.encode(), os.O_WRONLY | os.O_CREAT, 0o600)
        if descriptor >= 0:
            libc.write(descriptor, ctypes.c_char_p(b"x"), 1)
    elif word == "run":
        subprocess.run([argument], check=False)
    elif word == "memory":
        bytearray(8 * GIB)
    elif word == "loop":
        while True:
            pass
    elif word == "sleep":
        time.sleep(600)
    elif word == "crash":
        os.abort()
    elif word == "kill":
        os._exit(3)
    elif word == "lie":
        os.write(answers_descriptor(), b"\xff\xff\xff\xff")
        signal.pause()
    elif word == "environment":
        raise OSError(",".join(sorted(os.environ)))


def connect_in_c(port: int) -> None:
    """Connect past Python, as taken-over native code would; success ends the process with status 42."""
    descriptor = libc.socket(socket.AF_INET, socket.SOCK_STREAM, 0)
    address = (
        socket.AF_INET.to_bytes(2, "little") + port.to_bytes(2, "big") + bytes([127, 0, 0, 1]) + bytes(8)
    )
    if libc.connect(descriptor, address, len(address)) == 0:
        os._exit(42)


def answers_descriptor() -> int:
    """The pipe to the parent: the only writable pipe left open."""
    for descriptor in range(3, 30):
        try:
            if os.readlink(f"/proc/self/fd/{descriptor}").startswith("pipe:"):
                os.write(descriptor, b"")
                return descriptor
        except OSError:
            continue
    raise OSError("no pipe")


if __name__ == "__main__":
    worker.main(misbehave)
