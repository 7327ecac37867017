"""`reelhouse exr sequences`, `check` and `similar`: many files looked at as one."""
import json
import subprocess

import pytest
import traps


def lines(done) -> list[dict]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def frame(**instead: bytes) -> bytes:
    return traps.file(**instead)


ONE_CHANNEL = frame(channels=traps.channels(traps.channel("Z", pixel_type=2)))


@pytest.fixture(scope="module")
def shot(write):
    files = {f"beauty.{number}.exr": frame() for number in range(1001, 1021) if number != 1010}
    files["beauty.1015.exr"] = frame(compression=traps.attribute("compression", "compression", b"\x01"))
    files["beauty.1018.exr"] = frame()[:-3]
    return write(files | {"slate.exr": ONE_CHANNEL})


def test_a_report_names_what_is_odd_in_a_sequence(exr, shot):
    report, single = lines(exr.run("sequences", "--json", "--quiet", "-r", shot, code=1))
    assert (report["first"], report["last"], report["files"]) == (1001, 1020, 19)
    assert [(fault["code"], fault["frames"]) for fault in report["faults"]] == [
        ("frames_missing", [[1010, 1010]]), ("file_broken", [[1018, 1018]]), ("header_differs", [[1015, 1015]])]
    assert single["kind"] == "single" and single["path"].endswith("slate.exr")


def test_a_sequence_without_faults_is_no_failure(exr, write):
    folder = write({f"a.{number:04}.exr": frame() for number in range(1, 4)})
    done = exr.run("sequences", folder / "a.0001.exr", folder / "a.0002.exr", folder / "a.0003.exr")
    assert b"a.[0001-0003].exr" in done.stdout


def test_a_policy_decides_over_the_exit_code(exr, write):
    folder = write({"good.exr": frame(), "tall.exr": frame(compression=traps.attribute("compression", "compression", b"\x06")),
                    "broken.exr": b"nothing"})
    (folder / "rules.toml").write_text('name = "ours"\n[[rule]]\nid = "lossless"\nfact = "part.compression"\nin = ["none", "zip"]\n')
    exr.run("check", "--policy", folder / "rules.toml", folder / "good.exr")
    good, tall, broken = lines(exr.run("check", "--policy", folder / "rules.toml", "--json", "--quiet", folder / "good.exr",
                                       folder / "tall.exr", folder / "broken.exr", code=1))
    assert [one["policy"] for one in (good, tall, broken)] == ["ours"] * 3
    assert good["status"] != tall["status"] and broken["status"] == "error"
    assert "lossless" in json.dumps(tall) and "lossless" not in json.dumps(broken)


@pytest.mark.parametrize("policy, code", [("netflix-vfx", 1), ("aces-container", 1), ("studio", 0)])
def test_presets_are_there(exr, write, policy, code):
    folder = write({"a.exr": frame()})
    done = exr.run("check", "--policy", policy, "--json", folder / "a.exr", code=code)
    assert lines(done)[0]["policy"] == policy


def test_a_bad_policy_is_a_wrong_use(exr, write):
    folder = write({"a.exr": frame(), "bad.toml": b'[[rule]]\nid = "x"\nfact = "part.colour"\n'})
    assert b"bad.toml" in exr.run("check", "--policy", folder / "bad.toml", folder / "a.exr", code=2).stderr
    assert b"nowhere" in exr.run("check", "--policy", "nowhere", folder / "a.exr", code=2).stderr


def test_the_most_alike_come_first(exr, shot):
    found = lines(exr.run("similar", shot / "beauty.1001.exr", "-r", shot, "-k", "100", "--json", "--quiet"))
    assert found[0]["similarity"] == pytest.approx(1) and found[-1]["path"].endswith("slate.exr")
    assert len(found) == 20
    assert [one["similarity"] for one in found] == sorted((one["similarity"] for one in found), reverse=True)
    assert len(exr.run("similar", shot / "beauty.1001.exr", shot / "beauty.1002.exr", "-k", "1").stdout.splitlines()) == 2


def test_what_cannot_be_compared_is_said(exr, shot, write):
    folder = write({"no.exr": b"nothing"})
    assert b"no.exr" in exr.run("similar", folder / "no.exr", shot / "slate.exr", code=2).stderr
    assert b"no.exr" in exr.run("similar", shot / "slate.exr", folder / "no.exr", shot / "slate.exr", code=1).stderr


@pytest.mark.parametrize("words", [["inspect", "--json"], ["sequences"], ["check", "--policy", "studio"],
                                   ["similar", "beauty.1001.exr"]], ids=lambda words: words[0])
def test_output_that_is_lost_is_a_failure(exr, shot, words):
    with open("/dev/full", "wb") as full:
        done = exr.run(*words, "-r", ".", "--quiet", code=1, cwd=shot, capture_output=False, stdout=full,
                       stderr=subprocess.PIPE)
    assert b"the output cannot be written" in done.stderr
