"""Check the dependencies: the locks agree with pyproject.toml, and no known vulnerability is in them.

    python .ci/dependencies.py

The first check needs no network. The second asks a public database through pip-audit; where it cannot be reached
that is said and does not fail the build, because a network is no fault of the code.
"""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
LOCKS = (
    "requirements.lock",
    "requirements-dev.lock",
    "requirements-training.lock",
    "requirements-training-dev.lock",
)
# Its wheels differ by platform: the Makefile pins its version alone.
UNHASHED = {"torch"}
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.MULTILINE)
HASHED = re.compile(r"^[A-Za-z0-9._-]+==.*?(?=^\S|\Z)", re.MULTILINE | re.DOTALL)
AUDIT_TIMEOUT_S = 300


def main() -> int:
    """Run both checks; the exit status."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project.get("optional-dependencies", {})
    faults = lock_faults(LOCKS[0], project["dependencies"]) + lock_faults(LOCKS[1], extras["dev"])
    training = [one for one in extras["training"] if Requirement(one).name not in UNHASHED]
    faults += lock_faults(LOCKS[2], training) + lock_faults(LOCKS[3], extras["training-dev"])
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults:
        print("The locks are out of date: make them again (CONTRIBUTING.md says how).", file=sys.stderr)
        return 1
    print("The locks agree with pyproject.toml.")
    return max(audit(lock) for lock in LOCKS)


def lock_faults(lock: str, requirements: list[str]) -> list[str]:
    """What a lock lacks: a requirement, the right version of one, or a hash."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    pins = {canonicalize_name(name): version for name, version in PINNED.findall(text)}
    faults = []
    for requirement in map(Requirement, requirements):
        if requirement.marker is not None and not requirement.marker.evaluate():
            continue
        version = pins.get(canonicalize_name(requirement.name))
        if version is None:
            faults.append(f"{lock}: {requirement.name} is missing")
        elif not requirement.specifier.contains(version, prereleases=True):
            faults.append(f"{lock}: {requirement.name} {version} is not {requirement.specifier}")
    for entry in HASHED.findall(text):
        if "--hash=sha256:" not in entry:
            faults.append(f"{lock}: {entry.split()[0]} has no hash")
    return faults


def audit(lock: str) -> int:
    """Look for known vulnerabilities; 1 if there are some, 0 if not or if nobody could be asked."""
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "--format", "json"]
    try:
        done = subprocess.run(
            [*command, "-r", str(ROOT / lock)],
            capture_output=True,
            text=True,
            check=False,
            timeout=AUDIT_TIMEOUT_S,
        )
        found = json.loads(done.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError, KeyError) as error:
        reason = done.stderr.strip().splitlines() if isinstance(error, ValueError) else [str(error)]
        print(f"{lock}: not audited, the database of vulnerabilities was not reached ({reason[-1:]}).")
        return 0
    weak = [item for item in found if item.get("vulns")]
    for item in weak:
        for vulnerability in item["vulns"]:
            fixed = ", ".join(vulnerability["fix_versions"]) or "none"
            print(f"{lock}: {item['name']} {item['version']}: {vulnerability['id']} (fixed in: {fixed})")
    if not weak:
        print(f"{lock}: {len(found)} packages, no known vulnerability.")
    return 1 if weak else 0


if __name__ == "__main__":
    sys.exit(main())
