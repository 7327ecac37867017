"""The Debian package, in a Debian 12 that has nothing of ours: install, serve, upgrade, remove, purge."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from deployment import DEPLOY
from reelhouse_server import ROOT, Server, program, run, sanitized
from tams_client import Client

sys.path.insert(0, str(ROOT / "tools"))
from dev import fresh  # noqa: E402: the path comes first

pytestmark = pytest.mark.full

CLEAN = {"HOME": "/root", "LANG": "C.UTF-8", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive"}
UNIT_LINK = "etc/systemd/system/multi-user.target.wants/reelhouse.service"


class System:
    """A Debian of its own in a folder. Nothing is mounted in it, so removing the folder removes it and nothing else."""

    def __init__(self, root: Path):
        self.root = root

    def run(self, *command: str) -> str:
        done = subprocess.run(["chroot", self.root, *command], env=CLEAN, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def install(self, package: Path) -> None:
        shutil.copy(package, self.root / package.name)
        # As an operator answers who has changed the configuration: keep mine.
        self.run("apt-get", "install", "--yes", "--no-install-recommends", "-o", "Dpkg::Options::=--force-confdef",
                 "-o", "Dpkg::Options::=--force-confold", f"/{package.name}")

    def owner(self, path: str) -> str:
        numbers = {line.split(":")[2]: line.split(":")[0] for line in (self.root / "etc/passwd").read_text().splitlines()}
        return numbers[str((self.root / path).stat().st_uid)]


class PackagedServer(Server):
    """What the unit starts, as the user that it names."""

    def __init__(self, system: System, logs: Path):
        super().__init__(logs / "packaged")
        self.system = system

    def command(self, http: str) -> list:
        unit = (self.system.root / "lib/systemd/system/reelhouse.service").read_text().splitlines()
        settings = dict(line.split("=", 1) for line in unit if "=" in line)
        user = f"--userspec={settings['User']}:{settings['Group']}"
        return ["chroot", user, self.system.root, *settings["ExecStart"].split(), "--http", http]


@pytest.fixture(scope="module")
def package(tmp_path_factory) -> Path:
    """Of the program under test."""
    built = Path(program()).parent
    if sanitized():
        pytest.skip("sanitizers need /proc, which the bare Debian of these tests has not")
    folder = tmp_path_factory.mktemp("package")
    subprocess.run(["cpack", "--config", built / "CPackConfig.cmake", "-B", folder], check=True, cwd=built)
    [made] = folder.glob("reelhouse_*.deb")
    return made


@pytest.fixture(scope="module")
def system(tmp_path_factory):
    if os.geteuid() != 0 or not shutil.which("debootstrap"):
        pytest.skip("needs root and debootstrap")
    root = tmp_path_factory.mktemp("system") / "root"
    try:
        fresh.make_system(root)
        made = System(root)
        made.run("apt-get", "update")
        yield made
    finally:
        shutil.rmtree(root, ignore_errors=True)


def upgraded(package: Path, folder: Path) -> Path:
    """The package with a higher version and another default configuration."""
    subprocess.run(["dpkg-deb", "--raw-extract", package, folder / "x"], check=True)
    control = folder / "x/DEBIAN/control"
    text = control.read_text()
    version = run("--version").stdout.split()[-1]
    assert f"Version: {version}\n" in text
    control.write_text(text.replace(f"Version: {version}\n", f"Version: {version}+upgrade\n"))
    with (folder / "x/etc/reelhouse/reelhouse.toml").open("a") as file:
        file.write("# A default of the new version.\n")
    made = folder / "reelhouse_upgrade.deb"
    subprocess.run(["dpkg-deb", "--build", "--root-owner-group", folder / "x", made], check=True)
    return made


def left_over(system: System) -> list[str]:
    """What is there of the package, but for what apt and dpkg keep of every package."""
    found = system.run("find", "/", "-name", "*reelhouse*").split()
    return sorted(path for path in found if not path.endswith(".deb") and not path.startswith(("/var/log/", "/proc/")))


def test_life_of_an_installation(package, system, tmp_path):
    assert left_over(system) == []
    system.install(package)
    assert system.run("reelhouse", "--version") == run("--version").stdout
    assert system.owner("var/lib/reelhouse") == "reelhouse"
    assert (system.root / "var/lib/reelhouse").stat().st_mode & 0o777 == 0o750
    assert (system.root / UNIT_LINK).is_symlink(), "it starts with the machine"
    assert "_reelhouse" in system.run("bash", "-c", ". /usr/share/bash-completion/completions/reelhouse; complete -p reelhouse")

    server = PackagedServer(system, tmp_path)
    server.start()
    try:
        client = Client(server.url)
        assert client.get("/livez").json() == {"status": "ok"}
        flow = client.put_flow()
        status = Path(f"/proc/{server.pid}/status").read_text()
        uid = int(status.split("Uid:")[1].split()[0])
        assert uid == (system.root / "var/lib/reelhouse/store.db").stat().st_uid != 0
    finally:
        server.stop()

    settings = system.root / "etc/reelhouse/reelhouse.toml"
    with settings.open("a") as file:
        file.write('\n[service]\nname = "Studio 4"\n')
    edited = settings.read_text()
    system.install(upgraded(package, tmp_path))
    assert settings.read_text() == edited
    server.start()
    try:
        client = Client(server.url)
        assert client.get(f"/flows/{flow['id']}").json()["id"] == flow["id"]
    finally:
        server.stop()

    system.run("apt-get", "remove", "--yes", "reelhouse")
    assert (system.root / "var/lib/reelhouse/store.db").exists() and settings.exists()
    assert not (system.root / "usr/bin/reelhouse").exists()
    system.run("apt-get", "purge", "--yes", "reelhouse")
    assert left_over(system) == []
    for file in ("passwd", "group", "shadow"):
        assert "reelhouse" not in (system.root / "etc" / file).read_text()


def shown(*command) -> str:
    return subprocess.run(["dpkg-deb", *command], text=True, capture_output=True, check=True).stdout


def test_package_says_what_it_needs(package):
    needed = {entry.split()[0] for entry in shown("--field", package, "Depends").split(", ")}
    assert {"adduser", "ca-certificates", "libc6", "libsqlite3-0", "libssl3"} <= needed
    listed = shown("--contents", package)
    assert all(line.split()[1] == "root/root" for line in listed.splitlines())
    for path in (DEPLOY / "debian/conffiles").read_text().split():
        assert f" .{path}\n" in listed
