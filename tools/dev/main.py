"""The command line of ./dev: which verbs there are and what they take."""
import argparse
import sys

from dev import bench, build, check, fresh, fuzz, packages, run, shell, test


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="./dev", description="Build, test and run Reelhouse.")
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")

    def verb(name, action, text):
        sub = verbs.add_parser(name, help=text, description=text)
        sub.set_defaults(action=action)
        return sub

    def preset(sub, default):
        sub.add_argument("--preset", choices=build.PRESETS, default=default, help=f"default: {default}")

    setup = verb("setup", lambda a: packages.setup(a.group), "install what is missing on this machine")
    setup.add_argument("--group", choices=packages.groups(), default="all")

    builds = verb("build", lambda a: build.main(a.preset, a.targets), "build into build/<preset>")
    preset(builds, "dev")
    builds.add_argument("targets", nargs="*", metavar="TARGET")

    tests = verb("test", test.main, "run tests; PATHs select, e.g. src/time, src/time/x_test.cc, tests/api")
    tests.add_argument("paths", nargs="*", metavar="PATH")
    tests.add_argument("--full", action="store_true", help="slow tests too, and again under asan and tsan")
    tests.add_argument("--seed", type=int, help="replay the random choices of an earlier run")
    preset(tests, "dev")

    serve = verb("run", lambda a: run.main(a.http, a.data_dir), "build the release and serve, with demo media")
    serve.add_argument("--http", default="127.0.0.1:8000", metavar="ADDR", help="default: %(default)s")
    serve.add_argument("--data-dir", default="reelhouse-data", metavar="DIR", help="default: %(default)s")

    benches = verb("bench", lambda a: bench.main(a.name, a.arguments),
                   "run a scenario of bench/ (tams), or the micro-benchmarks of one module or of all")
    benches.add_argument("name", nargs="?", metavar="NAME")
    benches.add_argument("arguments", nargs=argparse.REMAINDER, metavar="ARG", help="of the scenario, e.g. --full")

    fuzzing = verb("fuzz", lambda a: fuzz.main(a.target, a.seconds), "fuzz one target of fuzz/")
    fuzzing.add_argument("target")
    fuzzing.add_argument("seconds", type=int)

    fmt = verb("fmt", lambda a: check.fmt(a.check), "format the C++ sources")
    fmt.add_argument("--check", action="store_true", help="change nothing, fail if something would change")

    lint = verb("lint", lambda a: check.lint(a.all), "clang-tidy on what changed since main")
    lint.add_argument("--all", action="store_true", help="on every source")

    machine = verb("fresh", lambda a: fresh.main(a.folder, a.arguments),
                   "run ./dev ARG... on HEAD in a bare Debian 12 made in FOLDER (root only)")
    machine.add_argument("folder", metavar="FOLDER")
    machine.add_argument("arguments", nargs=argparse.REMAINDER, metavar="ARG", help="default: test")

    verb("package", lambda a: build.package(), "make a Debian package of the release in build/release")

    verb("clean", lambda a: build.clean(), "remove build/")
    return top


def main(argv: list[str]) -> int:
    arguments = parser().parse_args(argv)
    try:
        return arguments.action(arguments) or 0
    except shell.Failed as failure:
        print(f"./dev {arguments.verb}: {failure}", file=sys.stderr)
        return failure.code
    except KeyboardInterrupt:
        return 130
