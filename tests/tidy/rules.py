"""The rules of the house that need only text. Each returns its findings as lines that name file, place and rule."""
import re
from dataclasses import dataclass
from pathlib import PurePosixPath

CODE_LINES_MAX = 800
TEST_LINES_MAX = 1500
HEADER_LINES_MAX = 300
FUNCTION_LINES_MAX = 70
COLUMNS_MAX = 100

# Which library of cmake/modules.cmake a system header belongs to: a module that includes it must name the library.
LIBRARY_OF_HEADER = {
    "boost/": {"Boost::headers"},
    "cjose/": {"cjose::cjose"},
    "CLI/": {"CLI11::CLI11"},
    "curl/": {"CURL::libcurl"},
    "duckdb": {"DuckDB::DuckDB"},
    "histedit.h": {"libedit::libedit"},
    "nanoarrow": {"nanoarrow::nanoarrow"},
    "openexr": {"OpenEXR::OpenEXRCore"},
    "openssl/": {"OpenSSL::Crypto", "OpenSSL::SSL"},
    "simdjson": {"simdjson::simdjson"},
    "spdlog/": {"spdlog::spdlog"},
    "sqlite3": {"SQLite::SQLite3"},
    "toml++/": {"tomlplusplus::tomlplusplus"},
    "xxhash.h": {"xxHash::xxhash"},
}

REGISTRY_HOSTS = re.compile(
    r"deb\.debian\.org|security\.debian\.org|registry\.npmjs\.org|\bpypi\.org|pythonhosted\.org|maven\.org"
    r"|maven\.apache\.org|proxy\.golang\.org|crates\.io|artifactregistry|pkg\.dev\b")
MACHINE_PATHS = re.compile(r"(?<![\w.)}])/(?:work|farm|root|home)/[a-z.]")
DEBUG_MARKS = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")
PRINTING = re.compile(r"\bstd::(?:cerr|cout)\s*<<|\bfmt::print\(|\bf?printf\(")
INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)
WAIVER = re.compile(r"tidy: allow\(([\w-]+)\)(?: because (\S.*))?")


@dataclass(frozen=True)
class Module:
    name: str
    depends: tuple[str, ...]
    libraries: tuple[str, ...]
    test_libraries: tuple[str, ...] = ()

    @property
    def folder(self) -> str:
        return "src/" + self.name.replace("_", "/")


def parse_graph(text: str) -> dict[str, Module]:
    """The modules of cmake/modules.cmake by folder."""
    modules = {}
    for words in re.findall(r"^reel_module\(([^)]*)\)", text, re.MULTILINE):
        lists = {"name": [], "DEPENDS": [], "LIBRARIES": [], "TEST_LIBRARIES": []}
        current = "name"
        for word in words.split():
            if word in lists:
                current = word
            else:
                lists[current].append(word)
        module = Module(lists["name"][0], tuple(lists["DEPENDS"]), tuple(lists["LIBRARIES"]), tuple(lists["TEST_LIBRARIES"]))
        modules[module.folder] = module
    return modules


def reachable(graph: dict[str, Module], name: str) -> set[str]:
    """The module itself and everything below it."""
    by_name = {module.name: module for module in graph.values()}
    found, waiting = set(), [name]
    while waiting:
        current = waiting.pop()
        if current not in found:
            found.add(current)
            waiting.extend(by_name[current].depends)
    return found


def is_test(path: str) -> bool:
    return path.endswith(("_test.cc", "_bench.cc")) or path.startswith("tests/")


def line_of(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def check_owner(graph, path: str) -> list[str]:
    if str(PurePosixPath(path).parent) in graph:
        return []
    return [f"{path}: [owner] its folder is no module of cmake/modules.cmake"]


def check_includes(graph, path: str, text: str) -> list[str]:
    own = graph.get(str(PurePosixPath(path).parent))
    if own is None:
        return []
    findings = []
    allowed = reachable(graph, own.name)
    own_libraries = {*own.libraries, *(own.test_libraries if is_test(path) else ())}
    for match in INCLUDE.finditer(text):
        where = f"{path}:{line_of(text, match.start())}:"
        ours, system = match.groups()
        if system:
            for prefix, libraries in LIBRARY_OF_HEADER.items():
                if system.startswith(prefix) and not libraries.intersection(own_libraries):
                    findings.append(f"{where} [library] <{system}> is not for module {own.name}")
            continue
        other = graph.get(f"src/{PurePosixPath(ours).parent}")
        if other is None:
            findings.append(f'{where} [edge] "{ours}" is not <module>/<header> of any module')
        elif other.name not in allowed:
            findings.append(f"{where} [edge] {own.name} may not include {other.name}")
        elif other != own and "_internal" in PurePosixPath(ours).name:
            findings.append(f'{where} [internal] "{ours}" is private to {other.name}')
    return findings


def check_readme(module: Module, paths: set[str]) -> list[str]:
    has_files = any(str(PurePosixPath(path).parent) == module.folder for path in paths)
    if not has_files or f"{module.folder}/README.md" in paths:
        return []
    return [f"{module.folder}: [readme] a module says in README.md what it is for"]


def check_marks(path: str, text: str) -> list[str]:
    return [f"{path}:{line_of(text, match.start())}: [mark] {match.group()} left behind"
            for match in DEBUG_MARKS.finditer(text)]


def check_printing(path: str, text: str) -> list[str]:
    """Only programs and tests print; the rest logs."""
    if not path.startswith("src/") or path.startswith("src/cli/") or is_test(path):
        return []
    return [f"{path}:{line_of(text, match.start())}: [print] logs are for obs, output is for cli"
            for match in PRINTING.finditer(text)]


def check_size(path: str, text: str) -> list[str]:
    lines = text.splitlines()
    findings = []
    if path.endswith(".h") and len(lines) > HEADER_LINES_MAX:
        findings.append(f"{path}: [header-length] {len(lines)} lines, {HEADER_LINES_MAX} allowed")
    most = TEST_LINES_MAX if is_test(path) else CODE_LINES_MAX
    if len(lines) > most:
        findings.append(f"{path}: [file-length] {len(lines)} lines, {most} allowed")
    if path.endswith((".h", ".cc")):
        findings += [f"{path}:{number}: [line-length] {len(line)} columns, {COLUMNS_MAX} allowed"
                     for number, line in enumerate(lines, 1) if len(line) > COLUMNS_MAX]
    return findings


def check_functions(path: str, text: str) -> list[str]:
    """Lengths of functions that start in the first column; clang-tidy measures the others."""
    findings, start = [], 0
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(r"[A-Za-z].*[({,]$|[A-Za-z].*\) .*\{$", line) and not start:
            scope = re.match(r"(?:inline )?(?:namespace|class|struct|enum|union|extern|constexpr|const)\b", line)
            start = 0 if scope else number
        elif line.startswith("}") and start:
            if number - start + 1 > FUNCTION_LINES_MAX:
                findings.append(f"{path}:{start}: [function-length] {number - start + 1} lines, "
                                f"{FUNCTION_LINES_MAX} allowed")
            start = 0
    return findings


def check_places(path: str, text: str) -> list[str]:
    return [f"{path}:{line_of(text, match.start())}: [place] {match.group()} names one machine or one registry"
            for pattern in (REGISTRY_HOSTS, MACHINE_PATHS) for match in pattern.finditer(text)]


def apply_waivers(path: str, text: str, findings: list[str]) -> list[str]:
    """Drops what the file waives with a reason; a waiver without a reason or without use is itself a finding."""
    kept = list(findings)
    for match in WAIVER.finditer(text):
        rule, reason = match.groups()
        where = f"{path}:{line_of(text, match.start())}: [waiver] allow({rule})"
        rest = [finding for finding in kept if f"[{rule}]" not in finding]
        if not reason:
            kept.append(f"{where} gives no reason")
        elif len(rest) == len(kept):
            kept.append(f"{where} waives nothing")
        else:
            kept = rest
    return kept
