"""./dev setup: installs the packages that packages.toml names and this machine lacks."""
import os
import shutil
import subprocess
import tomllib
from pathlib import Path

from dev import shell


def groups() -> dict:
    return tomllib.loads(Path(__file__).with_name("packages.toml").read_text())


def wanted(group: str) -> list[str]:
    table = groups()
    names = set(table[group]["apt"])
    for base in table[group].get("extends", []):
        names.update(wanted(base))
    return sorted(names)


def missing(names: list[str]) -> list[str]:
    query = ["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\\n", *names]
    lines = subprocess.run(query, text=True, capture_output=True).stdout.splitlines()
    installed = {line.split()[0] for line in lines if line.endswith(" installed")}
    return [name for name in names if name not in installed]


def without_candidate(names: list[str]) -> list[str]:
    """The packages that the machine's apt sources do not offer."""
    offered, name = set(), ""
    for line in shell.output(["apt-cache", "policy", *names]).splitlines():
        if not line.startswith(" "):
            name = line.rstrip(":")
        elif line.strip().startswith("Candidate:") and not line.endswith("(none)"):
            offered.add(name)
    return [name for name in names if name not in offered]


def setup(group: str) -> None:
    if not shutil.which("dpkg-query"):
        raise shell.Failed("this machine has no dpkg: setup knows Debian 12 only", 2)
    absent = missing(wanted(group))
    if not absent:
        return
    print(f"setup: {group} lacks {' '.join(absent)}", flush=True)
    apt = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet", "--yes"]
    if os.geteuid() != 0:
        if not shutil.which("sudo"):
            raise shell.Failed(f"needs root or sudo to install {' '.join(absent)}", 2)
        apt.insert(0, "sudo")
    try:
        shell.run([*apt, "update"])
        unknown = without_candidate(absent)
        if unknown:
            raise shell.Failed(f"this machine's apt sources do not offer {' '.join(unknown)}", 2)
        shell.run([*apt, "install", "--no-install-recommends", *absent])
    except shell.Failed as failure:
        raise shell.Failed(f"{failure}; still missing: {' '.join(missing(absent))}", 2) from failure
