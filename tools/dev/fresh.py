"""./dev fresh: proves that a bare Debian 12 with only python3 can do what this machine does."""
import os
import re
from pathlib import Path

from dev import shell

# A network may have a certificate authority of its own, which this machine trusts.
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")

MOUNTS = (("proc", "proc", "proc"), ("devtmpfs", "dev", "devtmpfs"), ("devpts", "dev/pts", "devpts"))


def mirror() -> tuple[str, str]:
    """The suite and the address that this machine's apt gets its base system from."""
    text = shell.output(["apt-cache", "policy"])
    found = re.search(r"^ +\d+ (\S+) (\w+)/main ", text, re.MULTILINE)
    if not found:
        raise shell.Failed("apt has no main component of a Debian suite: run apt-get update first", 2)
    return found[2], found[1]


def make_system(system: Path) -> None:
    suite, address = mirror()
    shell.run(["debootstrap", "--variant=minbase", "--include=python3", suite, system, address])
    # What apt needs to reach the same packages as this machine: its sources, keys, options and name resolution.
    for path in ("/etc/apt", "/usr/share/keyrings", "/etc/resolv.conf", "/etc/hosts"):
        shell.run(["cp", "--recursive", "--dereference", "--no-target-directory", path, f"{system}{path}"])


def main(folder: str, arguments: list[str]) -> int:
    if os.geteuid() != 0:
        raise shell.Failed("needs root for debootstrap, mount and chroot", 2)
    system = Path(folder).resolve()
    if system.is_relative_to(shell.ROOT):
        raise shell.Failed(f"{system} is in the checkout; choose a folder outside", 2)
    if not (system / "etc" / "apt").exists():
        make_system(system)
    checkout = system / "reelhouse"
    shell.run(["rm", "-rf", checkout])
    shell.run(["git", "clone", "--quiet", "--no-local", shell.ROOT, checkout])
    clean = ["env", "-i", "HOME=/root", "LANG=C.UTF-8", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"]
    if CERTIFICATES.exists():
        trusted = "/etc/certificates-of-host.crt"
        shell.run(["cp", CERTIFICATES, f"{system}{trusted}"])
        clean += [f"NODE_EXTRA_CA_CERTS={trusted}", f"NPM_CONFIG_CAFILE={trusted}", f"PIP_CERT={trusted}"]
    mounted = []
    try:
        for kind, place, source in MOUNTS:
            shell.run(["mount", "-t", kind, source, system / place])
            mounted.append(system / place)
        inside = ["chroot", system, *clean, "/reelhouse/dev", *(arguments or ["test"])]
        shell.run(inside)
    finally:
        for place in reversed(mounted):
            shell.run(["umount", "--recursive", place])
    return 0
