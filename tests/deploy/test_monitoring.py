"""Dashboards and alerts name metrics, labels and routes that the server has, and the documentation every alert."""
import json
import re
import shutil
import socket
import subprocess
import time
import uuid
from pathlib import Path

import promql
import pytest
import requests
import yaml
from deployment import DEPLOY, load
from reelhouse_server import ROOT

MONITORING = DEPLOY / "monitoring"
DASHBOARD = json.loads((MONITORING / "grafana/reelhouse.json").read_text())
ALERTS = [rule for group in load("monitoring/alerts.yml")["groups"] for rule in group["rules"]]
PANELS = [(panel["title"], target["expr"]) for panel in DASHBOARD["panels"] for target in panel["targets"]]
EXPRESSIONS = PANELS + [(rule["alert"], rule["expr"]) for rule in ALERTS]
# What Prometheus adds to every series of a server.
ADDED = {"job", "instance"}
WAIT_SECONDS_MAX = 60


@pytest.fixture(scope="module")
def used_server(server):
    """It has answered, also with an error, and turned away a head that is too large, so it counts all of these."""
    for path, status in (("/flows", 200), ("/sources", 200), (f"/flows/{uuid.uuid4()}/segments", 200),
                         ("/flows/x", 404)):
        assert requests.get(server.url + path, timeout=10).status_code == status
    assert requests.get(f"{server.url}/flows", headers={"x": "y" * 20_000}, timeout=10).status_code == 431
    return server


@pytest.fixture(scope="module")
def series(used_server) -> dict[str, set[str]]:
    """The labels of each metric of /metrics."""
    found = {"up": set()}
    for line in requests.get(f"{used_server.url}/metrics", timeout=10).text.splitlines():
        if not line.startswith("#"):
            name, labels = re.fullmatch(r"([\w:]+)(?:\{(.*)\})? \S+", line).groups()
            found.setdefault(name, set()).update(re.findall(r'(\w+)="', labels or ""))
    return found


@pytest.mark.parametrize("text, metrics, labels", [
    ("a_total", {"a_total"}, set()),
    ('sum by (x, y) (rate(a{b="c{d}", e!~"f"}[$__rate_interval])) / 2 > 1e3', {"a"}, {"x", "y", "b", "e"}),
    ("a and on (i) b unless c == bool d", {"a", "b", "c", "d"}, {"i"}),
    ("histogram_quantile(0.9, sum(rate(h_bucket[5m])) by (le))", {"h_bucket"}, {"le"}),
])
def test_names_of_expressions(text, metrics, labels):
    assert promql.names(text) == (metrics, labels)


@pytest.mark.parametrize("title, expression", EXPRESSIONS, ids=[title for title, _ in EXPRESSIONS])
def test_expression_names_what_the_server_has(title, expression, series):
    metrics, labels = promql.names(expression)
    assert metrics and metrics <= set(series)
    assert labels <= ADDED.union(*(series[name] for name in metrics))


def test_expressions_match_routes_and_reasons_that_exist(used_server):
    routes = requests.get(f"{used_server.url}/openapi.json", timeout=10).json()["paths"]
    edge = "\n".join(path.read_text() for path in (ROOT / "src/http").glob("*.cc") if "_test" not in path.name)
    matchers = 0
    for title, expression in EXPRESSIONS:
        for _, pattern in promql.matched(expression, "route"):
            matchers += 1
            for part in pattern.split("|"):
                assert any(re.fullmatch(part, route) for route in routes), f"{title}: no route is {part}"
        for _, pattern in promql.matched(expression, "reason"):
            matchers += 1
            for reason in pattern.split("|"):
                assert f'"{reason}"' in edge, f"{title}: nothing is rejected for {reason}"
    assert matchers >= 3


def test_panels_are_of_known_data_sources_and_do_not_overlap():
    known = {(source["type"], source["uid"]) for source in load("monitoring/grafana/datasources.yml")["datasources"]}
    variables = {variable["name"] for variable in DASHBOARD["templating"]["list"]} | {"__rate_interval"}
    taken = set()
    for panel in DASHBOARD["panels"]:
        for part in (panel, *panel["targets"]):
            assert (part["datasource"]["type"], part["datasource"]["uid"]) in known
        for target in panel["targets"]:
            assert set(re.findall(r"\$(\w+)", target["expr"])) <= variables
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                 for y in range(place["y"], place["y"] + place["h"])}
        assert place["x"] + place["w"] <= 24 and not cells & taken, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


def test_every_alert_is_documented_and_every_documented_alert_exists():
    section = (ROOT / "docs/operations.md").read_text().partition("\n## Alerts\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.+) \| (.+) \|$", section, re.MULTILINE)
    assert {(name, severity) for name, severity, _, _ in rows} \
        == {(rule["alert"], rule["labels"]["severity"]) for rule in ALERTS}


# What follows uses Prometheus' own programs.


@pytest.fixture(scope="session")
def tools(tmp_path_factory):
    """Finds a program of Prometheus: on this machine, else in Debian's packages, unpacked for these tests only,
    because installing them would start services."""
    folder = tmp_path_factory.mktemp("prometheus")

    def find(name: str) -> str:
        found = shutil.which(name) or shutil.which(name, path=folder / "usr/bin")
        if found:
            return found
        for package in ("prometheus", "prometheus-alertmanager"):
            fetched = subprocess.run(["apt-get", "download", package], cwd=folder, text=True, capture_output=True)
            if fetched.returncode:
                pytest.skip(f"this machine has no {name} and cannot get it: {fetched.stderr.strip()}")
            [archive] = folder.glob(f"{package}_*.deb")
            subprocess.run(["dpkg-deb", "--extract", archive, folder], check=True)
        return str(folder / "usr/bin" / name)

    yield find
    shutil.rmtree(folder)


def passes(*command) -> str:
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.full
def test_promtool_accepts_configuration_and_rules(tools):
    passes(tools("promtool"), "check", "config", MONITORING / "prometheus.yml")
    assert f"{len(ALERTS)} rules found" in passes(tools("promtool"), "check", "rules", MONITORING / "alerts.yml")


@pytest.mark.full
def test_alerts_fire(tools, tmp_path):
    source = Path(__file__).with_name("alerts_test.yml")
    tested = {case["alertname"] for test in yaml.safe_load(source.read_text())["tests"]
              for case in test["alert_rule_test"] if case.get("exp_alerts")}
    assert tested == {rule["alert"] for rule in ALERTS}
    for file in (source, MONITORING / "alerts.yml"):
        shutil.copy(file, tmp_path)
    passes(tools("promtool"), "test", "rules", tmp_path / source.name)


@pytest.mark.full
def test_alertmanager_sends_what_is_critical_to_whom_it_wakes(tools):
    file = MONITORING / "alertmanager.yml"
    passes(tools("amtool"), "check-config", file)
    for severity, receiver in (("critical", "on-call"), ("warning", "operators")):
        routed = passes(tools("amtool"), "config", "routes", "test", f"--config.file={file}", f"severity={severity}")
        assert routed.splitlines()[-1] == receiver  # after a warning


@pytest.fixture
def prometheus(tools, used_server, tmp_path):
    """A Prometheus with our configuration, of which only the addresses and the pace are changed."""
    config = load("monitoring/prometheus.yml")
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    del config["alerting"]
    config["scrape_configs"][0]["static_configs"][0]["targets"] = ["%s:%d" % used_server.address]
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config))
    shutil.copy(MONITORING / "alerts.yml", tmp_path)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = "127.0.0.1:%d" % free.getsockname()[1]
    process = subprocess.Popen([tools("prometheus"), f"--config.file={tmp_path}/prometheus.yml",
                                f"--storage.tsdb.path={tmp_path}/data", f"--web.listen-address={address}"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield f"http://{address}/api/v1"
    process.terminate()
    process.wait()


def answered(url: str, expression: str) -> list:
    """The answer of a query as soon as there is one; none at the end of the patience."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while True:
        try:
            answer = requests.get(f"{url}/query", params={"query": expression}, timeout=10).json()
            assert answer["status"] == "success", answer
            if answer["data"]["result"] or time.monotonic() > deadline:
                return answer["data"]["result"]
        except requests.ConnectionError:
            assert time.monotonic() < deadline, "Prometheus does not answer"
        time.sleep(0.2)


@pytest.mark.full
def test_every_panel_shows_something(prometheus, used_server):
    for title, expression in PANELS:
        expression = expression.replace("$__rate_interval", "1m").replace("$instance", ".*")
        # A healthy server has no failures to show; with those of clients the panel must show something.
        expression = expression.replace('status=~"5.."', 'status=~"[24].."')
        assert answered(prometheus, expression), title
    rules = requests.get(f"{prometheus}/rules", timeout=10).json()["data"]["groups"][0]["rules"]
    assert {rule["name"]: rule["health"] for rule in rules} == {rule["alert"]: "ok" for rule in ALERTS}
