"""./dev setup: installs the packages that packages.toml names and this machine lacks."""
import json
import os
import shutil
import subprocess
import tempfile
import tomllib
from pathlib import Path

from dev import shell

NPM = shell.ROOT / "build" / "npm"
PYPI = shell.ROOT / "build" / "pypi"


def groups() -> dict:
    return tomllib.loads(Path(__file__).with_name("packages.toml").read_text())


def wanted(group: str, registry: str = "apt") -> list[str]:
    table = groups()
    names = set(table[group].get(registry, []))
    for base in table[group].get("extends", []):
        names.update(wanted(base, registry))
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


def installed_of_npm(package: str) -> bool:
    name, _, version = package.rpartition("@")
    description = NPM / name / "package.json"
    return description.is_file() and json.loads(description.read_text())["version"] == version


def install_of_npm(package: str) -> None:
    """The files of one package as it was published, without the packages that it names: browsers need none of them."""
    target = NPM / package.rpartition("@")[0]
    with tempfile.TemporaryDirectory() as folder:
        shell.run(["npm", "pack", "--loglevel=error", "--pack-destination", folder, package])
        [archive] = Path(folder).iterdir()
        unpacked = Path(folder) / "unpacked"
        unpacked.mkdir()
        shell.run(["tar", "--extract", "--no-same-owner", "--file", archive, "--directory", unpacked])
        shutil.rmtree(target, ignore_errors=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(unpacked / "package", target)


def name_and_version(package: str) -> tuple[str, str]:
    """Of "pyiceberg[sql-sqlite]==0.12.0", without the extras."""
    name, _, version = package.partition("==")
    return name.partition("[")[0], version


def installed_of_pypi(package: str) -> bool:
    name, version = name_and_version(package)
    return bool(list((PYPI / name).glob(f"lib/python3*/site-packages/{name}-{version}.dist-info")))


def install_of_pypi(package: str) -> None:
    """A program in an environment of its own, because what it needs is newer than Debian's."""
    target = PYPI / name_and_version(package)[0]
    shell.run(["/usr/bin/python3", "-m", "venv", "--clear", target])
    shell.run([target / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", package])


def source_files(package: str) -> list[str]:
    """What to keep of a source archive, as paths in it."""
    return next(table["pypi_source"][package] for table in groups().values() if package in table.get("pypi_source", {}))


def source_folder(package: str) -> Path:
    return PYPI / f"{package.partition('==')[0]}-source"


def installed_of_pypi_source(package: str) -> bool:
    description = source_folder(package) / "PKG-INFO"
    version = package.partition("==")[2]
    return description.is_file() and f"\nVersion: {version}\n" in description.read_text()


# Build backends that would look for compilers, libraries and Python's headers before they tell pip the name and version
# of an archive that we only unpack. In their place: what the archive itself says of that.
REPLACED_BACKENDS = {"nanoarrow": "mesonpy"}
BACKEND = '''
import email, pathlib

def prepare_metadata_for_build_wheel(folder, config_settings=None):
    text = pathlib.Path("PKG-INFO").read_text()
    fields = email.message_from_string(text)
    info = pathlib.Path(folder) / f"{fields['Name']}-{fields['Version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(text)
    return info.name
'''


def replace_backend(name: str, venv: Path) -> list[str]:
    """pip's arguments so that it uses ours."""
    if name not in REPLACED_BACKENDS:
        return []
    [modules] = venv.glob("lib/python3*/site-packages")
    (modules / f"{REPLACED_BACKENDS[name]}.py").write_text(BACKEND)
    return ["--no-build-isolation"]


def install_of_pypi_source(package: str) -> None:
    target = source_folder(package)
    name = package.partition("==")[0]
    with tempfile.TemporaryDirectory() as folder:
        pip = Path(folder) / "venv" / "bin" / "pip"
        archives, unpacked = Path(folder) / "archives", Path(folder) / "unpacked"
        shell.run(["/usr/bin/python3", "-m", "venv", Path(folder) / "venv"])
        backend = replace_backend(name, Path(folder) / "venv")
        # Not ":all:", which would compile the tools as well that pip reads the archive's description with.
        shell.run([pip, "download", "--quiet", "--disable-pip-version-check", "--no-deps", *backend,
                   "--no-binary", name, "--dest", archives, package])
        [archive] = archives.iterdir()
        top = archive.name.removesuffix(".tar.gz")
        unpacked.mkdir()
        shell.run(["tar", "--extract", "--no-same-owner", "--file", archive, "--directory", unpacked,
                   *(f"{top}/{path}" for path in ["PKG-INFO", *source_files(package)])])
        shutil.rmtree(target, ignore_errors=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(unpacked / top, target)


def setup(group: str) -> None:
    absent = [package for package in wanted(group, "npm") if not installed_of_npm(package)]
    programs = [package for package in wanted(group, "pypi") if not installed_of_pypi(package)]
    sources = [package for package in wanted(group, "pypi_source") if not installed_of_pypi_source(package)]
    # Some machines have npm from elsewhere, beside which Debian's cannot be installed.
    setup_apt(wanted(group) + ["npm"] * bool(absent and not shutil.which("npm")))
    for package in absent:
        install_of_npm(package)
    for package in programs:
        install_of_pypi(package)
    for package in sources:
        install_of_pypi_source(package)


def setup_apt(names: list[str]) -> None:
    if not shutil.which("dpkg-query"):
        raise shell.Failed("this machine has no dpkg: setup knows Debian 12 only", 2)
    absent = missing(names)
    if not absent:
        return
    print(f"setup: this machine lacks {' '.join(absent)}", flush=True)
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
