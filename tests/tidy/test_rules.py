"""Feeds every rule a sample that breaks it and one that keeps it: a rule that cannot fail is no rule."""
import pytest
import rules

GRAPH = rules.parse_graph("""
# reel_module(comment)
reel_module(base LIBRARIES fmt::fmt OpenSSL::Crypto)
reel_module(store DEPENDS base)
reel_module(store_sqlite
  DEPENDS store
  LIBRARIES SQLite::SQLite3)
reel_module(http DEPENDS store LIBRARIES Boost::headers TEST_LIBRARIES OpenEXR::OpenEXRCore)
""")


def named(findings: list[str]) -> list[str]:
    """The rules that the findings name."""
    return [finding.split("[")[1].split("]")[0] for finding in findings]


def test_graph():
    assert list(GRAPH) == ["src/base", "src/store", "src/store/sqlite", "src/http"]
    assert GRAPH["src/store/sqlite"] == rules.Module("store_sqlite", ("store",), ("SQLite::SQLite3",))
    assert rules.reachable(GRAPH, "http") == {"http", "store", "base"}


@pytest.mark.parametrize("path, include, found", [
    ("src/store/a.cc", '"base/result.h"', []),
    ("src/http/a.cc", '"base/result.h"', []),  # reachable through store
    ("src/store/a.cc", '"store/a_internal.h"', []),
    ("src/store/sqlite/a.cc", '<sqlite3.h>', []),
    ("src/base/a.cc", '<openssl/sha.h>', []),
    ("src/http/a.cc", '<boost/asio.hpp>', []),
    ("src/base/a.cc", '"store/store.h"', ["edge"]),
    ("src/http/a.cc", '"store/sqlite/a.h"', ["edge"]),
    ("src/store/a.cc", '"a.h"', ["edge"]),
    ("src/store/sqlite/a.cc", '"store/a_internal.h"', ["internal"]),
    ("src/store/a.cc", '<sqlite3.h>', ["library"]),
    ("src/store/a.cc", '<boost/beast/core.hpp>', ["library"]),
    ("src/http/a_test.cc", '<curl/curl.h>', ["library"]),
    ("src/http/a_test.cc", '<openexr.h>', []),
    ("src/http/a.cc", '<openexr.h>', ["library"]),
])
def test_includes(path, include, found):
    assert named(rules.check_includes(GRAPH, path, f"// x\n#include {include}\n")) == found


@pytest.mark.parametrize("path, found", [
    ("src/store/a.cc", []), ("src/store/sqlite/a.h", []), ("src/stray.cc", ["owner"]), ("src/store/more/a.cc", ["owner"]),
])
def test_owner(path, found):
    assert named(rules.check_owner(GRAPH, path)) == found


@pytest.mark.parametrize("paths, found", [
    (set(), []), ({"src/base/a.h", "src/base/README.md"}, []), ({"src/base/a.h"}, ["readme"]),
])
def test_readme(paths, found):
    assert named(rules.check_readme(GRAPH["src/base"], paths)) == found


@pytest.mark.parametrize("text, found", [
    ("// A method and a hackathon.", []), ("int a;  // TODO: b", ["mark"]), ("# FIXME", ["mark"]),
    ("// XXX", ["mark"]), ("/* HACK */", ["mark"]),
])
def test_marks(text, found):
    assert named(rules.check_marks("src/base/a.cc", text)) == found


@pytest.mark.parametrize("path, text, found", [
    ("src/base/a.cc", "std::snprintf(b, 1, x);", []),
    ("src/cli/a.cc", "std::cerr << x;", []),
    ("src/base/a_test.cc", "std::cerr << x;", []),
    ("src/base/a.cc", "std::cerr << x;", ["print"]),
    ("src/base/a.cc", "std::fprintf(stderr, x);", ["print"]),
    ("src/base/a.cc", "printf(x);", ["print"]),
    ("src/base/a.cc", 'fmt::print("x");', ["print"]),
])
def test_printing(path, text, found):
    assert named(rules.check_printing(path, text)) == found


@pytest.mark.parametrize("path, text, found", [
    ("src/base/a.cc", "x\n" * 800, []),
    ("src/base/a.cc", "x\n" * 801, ["file-length"]),
    ("src/base/a_test.cc", "x\n" * 1500, []),
    ("src/base/a_test.cc", "x\n" * 1501, ["file-length"]),
    ("tools/dev/a.py", "x\n" * 801, ["file-length"]),
    ("src/base/a.h", "x\n" * 300, []),
    ("src/base/a.h", "x\n" * 301, ["header-length"]),
    ("src/base/a.cc", "x" * 100, []),
    ("src/base/a.cc", "x" * 101, ["line-length"]),
])
def test_size(path, text, found):
    assert named(rules.check_size(path, text)) == found


@pytest.mark.parametrize("head, body, tail, found", [
    ("int f(int a) {", 68, "}", []),
    ("int f(int a) {", 69, "}", ["function-length"]),
    ("Result<int> f(\n    int a) {", 68, "}", ["function-length"]),
    ("Thing::Thing() : a_(1) {", 69, "}", ["function-length"]),
    ("namespace reel {", 90, "}  // namespace reel", []),
    ("class Thing {", 90, "};", []),
])
def test_functions(head, body, tail, found):
    assert named(rules.check_functions("src/base/a.cc", f"{head}\n" + "  a();\n" * body + f"{tail}\n")) == found


@pytest.mark.parametrize("text, found", [
    ("https://example.org/work/order", []), ("./build/dev", []), ("/home", []), ("a/root/b", []),
    ("curl https://deb.debian.org/x", ["place"]), ("https://pypi.org/simple", ["place"]),
    ("cd /work/main", ["place"]), ("'/root/.cache'", ["place"]), ("/home/ann/x", ["place"]),
])
def test_places(text, found):
    assert named(rules.check_places("docs/a.md", text)) == found


@pytest.mark.parametrize("text, found", [
    ("// nothing", ["print"]),
    ("// tidy: allow(print) because the process is ending", []),
    ("// tidy: allow(print)", ["print", "waiver"]),
    ("// tidy: allow(mark) because of nothing", ["print", "waiver"]),
])
def test_waivers(text, found):
    assert named(rules.apply_waivers("src/base/a.cc", text, ["src/base/a.cc:1: [print] x"])) == found
