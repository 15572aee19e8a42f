"""Checks of one installation: settings, assistants, permissions, port, leftovers, what may leave the machine."""

import errno
import os
import socket
import stat
from urllib.parse import urlsplit

from psycopg import conninfo

from etabli.assistants.catalogue import AssistantCatalogue
from etabli.doctor.findings import Finding, Patient
from etabli.listening import is_serving, who_listens
from etabli.messages import tr
from etabli.outbound import is_loopback
from etabli.processes import is_process_alive, read_private_json
from etabli.settings import CONFIG_NAME, Settings

_RUN_FILES = ("server.json", "engine.json")


def settings(patient: Patient) -> Finding:
    """`etabli.toml` and the environment."""
    if patient.settings_fault is not None:
        return Finding("settings", "failure", patient.settings_fault)
    folder = patient.settings.workspace
    if not patient.is_workspace:
        return Finding(
            "settings",
            "warning",
            tr("{folder} is no workspace: the machine alone is examined", folder=folder),
            tr("Make one with `etabli init`, or name it with --workspace."),
        )
    return Finding("settings", "ok", tr("The settings of {folder} are valid", folder=folder))


def assistants(patient: Patient) -> Finding:
    """Every file in `assistants/`."""
    catalogue = AssistantCatalogue(patient.settings.assistants_dir)
    faults = catalogue.faults()
    if faults:
        name, first = next(iter(faults.items()))
        return Finding(
            "assistants",
            "failure",
            tr(
                "{count} assistants cannot be used; {name}: {fault}",
                count=len(faults),
                name=name,
                fault=first[0],
            ),
            tr("Mend the file; see all faults with: etabli assistants check"),
        )
    names = [each.name for each in catalogue.list()]
    if not names and patient.is_workspace:
        return Finding(
            "assistants",
            "warning",
            tr("There is no assistant"),
            tr("Describe one in assistants/NAME.yaml."),
        )
    return Finding("assistants", "ok", tr("{count} assistants, all valid", count=len(names)))


def permissions(patient: Patient) -> Finding:
    """Keys and data are for their owner only."""
    data, run = patient.settings.data_dir, patient.settings.run_dir
    toml = patient.settings.workspace / CONFIG_NAME
    # Others may have the right to pass through: a system user that runs the database needs it.
    open_to_others = [str(data)] if data.exists() and data.stat().st_mode & 0o066 else []
    for path in sorted(run.iterdir()) if run.is_dir() else ():
        mode = path.lstat().st_mode
        if stat.S_ISREG(mode) and mode & 0o077:
            open_to_others.append(str(path))
    if _holds_secrets(patient.settings) and toml.exists() and toml.stat().st_mode & 0o077:
        open_to_others.append(str(toml))
    if open_to_others:
        return Finding(
            "permissions",
            "failure",
            tr("Others on this machine can read {path}", path=open_to_others[0]),
            tr("Close it: chmod -R go-rw {paths}", paths=" ".join(open_to_others)),
        )
    for path in (data, run):
        if path.exists() and not os.access(path, os.R_OK | os.W_OK | os.X_OK):
            return Finding(
                "permissions",
                "failure",
                tr("{path} cannot be written", path=path),
                tr("Run Établi as the user who owns it, or give it to this one."),
            )
    return Finding("permissions", "ok", tr("Keys and data are for their owner only"))


def port(patient: Patient) -> Finding:
    """Free, or served by us."""
    chosen = patient.settings
    if is_serving(chosen.run_dir):
        running = read_private_json(chosen.run_dir / _RUN_FILES[0])
        if running is None:
            return Finding("port", "ok", tr("Établi is starting"))
        return Finding("port", "ok", tr("Établi serves at {url}", url=running.get("url")))
    if chosen.port == 0:
        return Finding("port", "ok", tr("The port is chosen at the start"))
    family = socket.AF_INET6 if ":" in chosen.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((chosen.host, chosen.port))
            probe.listen(1)
        except OSError as error:
            who = who_listens(chosen.port)
            if who is None and error.errno != errno.EADDRINUSE:
                return Finding(
                    "port",
                    "failure",
                    tr("The server cannot listen on {host}:{port} ({reason})", host=chosen.host, port=chosen.port,
                       reason=error.strerror),
                    tr("Mend `host` and `port` in etabli.toml."),
                )  # fmt: skip
            name = tr("another program") if who is None else f"{who[0]} ({who[1]})"
            return Finding(
                "port",
                "failure",
                tr("Port {port} is taken by {who}", port=chosen.port, who=name),
                tr("Stop it, or choose another `port` in etabli.toml."),
            )
    return Finding("port", "ok", tr("Port {port} is free", port=chosen.port))


def leftovers(patient: Patient) -> Finding:
    """Run files and processes of a server that is no more."""
    run = patient.settings.run_dir
    if is_serving(run):
        return Finding("leftovers", "ok", tr("Nothing is left over"))
    for name in _RUN_FILES:
        entry = read_private_json(run / name)
        if entry is None:
            continue
        pid = entry.get("pid")
        if name != _RUN_FILES[0] and isinstance(pid, int) and is_process_alive(pid):
            return Finding(
                "leftovers",
                "warning",
                tr("An engine (process {pid}) runs without a server", pid=pid),
                tr("If no `etabli ask` is running, end it: kill {pid}", pid=pid),
            )
        return Finding(
            "leftovers",
            "warning",
            tr("{file} is left from a server that was killed", file=run / name),
            tr("Nothing to do: the next start replaces it."),
        )
    return Finding("leftovers", "ok", tr("Nothing is left over"))


def outbound(patient: Patient) -> Finding:
    """What the settings let out of this machine."""
    chosen = patient.settings
    hosts = [*chosen.outbound]
    for url in (chosen.engine_url, chosen.embeddings_url):
        host = urlsplit(url).hostname if url is not None else None
        if host is not None and not is_loopback(host):
            hosts.append(host)
    if chosen.database_url is not None:
        named = conninfo.conninfo_to_dict(chosen.database_url.get_secret_value()).get("host") or ""
        if named and not str(named).startswith("/") and not is_loopback(str(named)):
            hosts.append(str(named))
    if hosts:
        return Finding(
            "outbound",
            "ok",
            tr(
                "While it serves, Établi may call {hosts}, and nobody else",
                hosts=", ".join(dict.fromkeys(hosts)),
            ),
        )
    return Finding("outbound", "ok", tr("Nothing leaves this machine: no outside address is configured"))


def _holds_secrets(chosen: Settings) -> bool:
    return any(
        secret is not None for secret in (chosen.engine_key, chosen.embeddings_key, chosen.database_url)
    )
