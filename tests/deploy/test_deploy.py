"""deploy/ names only what exists: files, ports, paths, keys, flags, versions. What must run elsewhere is read here."""
import json
import re
import shutil
import subprocess
import tomllib

import jsonschema
import pytest
import requests
import yaml
from deployment import DEPLOY, UID, compose, effective, load
from reelhouse_server import ROOT, program, run

CHART = DEPLOY / "helm/reelhouse"
TEMPLATES = sorted((CHART / "templates").iterdir())
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file())
CONFIGURATIONS = ["debian/reelhouse.toml", "docker/reelhouse.toml", "kubernetes/reelhouse.toml", "helm"]


def ids(paths):
    return [str(path.relative_to(DEPLOY)) for path in paths]


def values() -> dict:
    return load("helm/reelhouse/values.yaml")


def version() -> str:
    return run("--version").stdout.split()[-1]


def dockerfile() -> str:
    return (DEPLOY / "docker/Dockerfile").read_text()


def unit_lines() -> dict[str, str]:
    """The last value of each setting of the unit."""
    text = (DEPLOY / "debian/reelhouse.service").read_text()
    return dict(re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE))


def seconds(text) -> int:
    return int(str(text).removesuffix("s"))


@pytest.mark.parametrize("path", FILES, ids=ids(FILES))
def test_file_is_well_formed(path):
    text = path.read_text()
    if path in TEMPLATES:
        return
    if path.suffix in (".yaml", ".yml"):
        assert list(yaml.safe_load_all(text))
    elif path.suffix == ".json":
        json.loads(text)
    elif path.suffix == ".toml":
        tomllib.loads(text)
    elif text.startswith("#!/bin/sh"):
        assert subprocess.run(["sh", "-n", path], check=False).returncode == 0
        assert path.stat().st_mode & 0o111


@pytest.mark.parametrize("path", FILES, ids=ids(FILES))
def test_variables_are_settings(path):
    keys = run("config").stdout
    known = {"REELHOUSE_CONFIG"}
    section = ""
    for line in keys.splitlines():
        if line.startswith("["):
            section = line.strip("[]") + "_"
        elif match := re.match(r"(\w+) = ", line):
            known.add(f"REELHOUSE_{section}{match[1]}".upper())
    assert set(re.findall(r"REELHOUSE_[A-Z_]+", path.read_text())) <= known


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_configuration_is_accepted(name, tmp_path):
    file = DEPLOY / name
    if name == "helm":
        file = tmp_path / "reelhouse.toml"
        file.write_text(values()["configuration"])
    settings = effective(file)
    assert settings["data_dir"] == "/var/lib/reelhouse"
    address = "127.0.0.1:8000" if name.startswith("debian") else "0.0.0.0:8000"
    assert settings["http"]["address"] == address


def images() -> list[str]:
    named = re.findall(r"^FROM (\S+)", dockerfile(), re.MULTILINE)
    return named + [service["image"] for service in compose()["services"].values()]


@pytest.mark.parametrize("image", sorted(set(images())))
def test_image_is_pinned_and_names_no_registry(image):
    name, _, tag = image.rpartition(":")
    assert re.fullmatch(r"v?\d+\.\d+(\.\d+)?(-slim)?", tag)
    assert "." not in name.split("/")[0]


def test_version_is_the_programs():
    assert compose()["services"]["reelhouse"]["image"] == f"reelhouse:{version()}"
    assert load("kubernetes/kustomization.yaml")["images"] == [{"name": "reelhouse", "newTag": version()}]
    assert load("helm/reelhouse/Chart.yaml")["appVersion"] == version()
    assert f"--tag reelhouse:{version()} " in dockerfile()


def test_paths_of_the_dockerfile_exist():
    sources = re.findall(r"^COPY (\S+)", dockerfile(), re.MULTILINE)
    assert "deploy/docker/reelhouse.toml" in sources
    for source in sources:
        assert (ROOT / source).exists()
    assert run("serve", "--help").stdout.count("--config")
    assert '["serve", "--config", "/etc/reelhouse/reelhouse.toml"]' in dockerfile()


def test_user_is_one_number_everywhere():
    assert f"--uid {UID} " in dockerfile() and f"USER {UID}:{UID}" in dockerfile()
    for text in ((DEPLOY / "kubernetes/statefulset.yaml").read_text(),
                 (CHART / "templates/statefulset.yaml").read_text()):
        assert re.findall(r"(?:runAsUser|runAsGroup|fsGroup): (\d+)", text) == [str(UID)] * 3


def test_compose_binds_what_exists_and_publishes_to_this_machine_only():
    document = compose()
    for name, service in document["services"].items():
        assert service["read_only"] and service["cap_drop"] == ["ALL"], name
        for port in service["ports"]:
            assert re.fullmatch(r"127\.0\.0\.1:(\d+):\1", port), port
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in document["volumes"] or (DEPLOY / "compose" / source).is_file(), volume


def test_compose_wires_services_that_exist():
    services = compose()["services"]
    prometheus = load("monitoring/prometheus.yml")
    groups = [job["static_configs"] for job in prometheus["scrape_configs"]]
    groups += [manager["static_configs"] for manager in prometheus["alerting"]["alertmanagers"]]
    addresses = [target for group in groups for config in group for target in config["targets"]]
    addresses += [source["url"].removeprefix("http://")
                  for source in load("monitoring/grafana/datasources.yml")["datasources"]]
    addresses.append(services["reelhouse"]["environment"]["REELHOUSE_TRACING_ENDPOINT"].removeprefix("http://"))
    assert len(addresses) == 6
    for address in addresses:
        name, _, port = address.partition(":")
        assert f"127.0.0.1:{port}:{port}" in services[name]["ports"], address
    mounts = [volume.split(":") for volume in services["grafana"]["volumes"]]
    folder = load("monitoring/grafana/dashboards.yml")["providers"][0]["options"]["path"]
    dashboards = [target for _, target, *_ in mounts if target.startswith(folder + "/")]
    assert services["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"] in dashboards


def test_probes_and_scrapes_are_answered(server):
    text = "\n".join(path.read_text() for path in FILES)
    paths = set(re.findall(r"httpGet: \{path: ([^,]+),", text))
    paths |= set(re.findall(r"(?:metrics_path|prometheus\.io/path): (\S+)", text))
    paths |= set(re.findall(r"http://127\.0\.0\.1:8000(/\w+)", dockerfile()))
    assert paths == {"/livez", "/readyz", "/metrics"}
    for path in paths:
        assert requests.get(server.url + path, timeout=10).status_code == 200, path


def test_stopping_takes_longer_than_draining():
    drain_s = effective(DEPLOY / "debian/reelhouse.toml")["limits"]["drain_ms_max"] / 1000
    kubernetes = load("kubernetes/statefulset.yaml")["spec"]["template"]["spec"]
    assert kubernetes["terminationGracePeriodSeconds"] > drain_s
    assert seconds(compose()["services"]["reelhouse"]["stop_grace_period"]) > drain_s
    assert seconds(unit_lines()["TimeoutStopSec"]) > drain_s


def test_unit_allows_as_many_files_as_connections():
    limits = effective(DEPLOY / "debian/reelhouse.toml")["limits"]
    assert int(unit_lines()["LimitNOFILE"]) >= 2 * limits["connections_max"]


def test_unit_is_valid_and_hardened(tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("this machine has no systemd-analyze")
    unit = tmp_path / "reelhouse.service"
    text = (DEPLOY / "debian/reelhouse.service").read_text()
    assert unit_lines()["ExecStart"].startswith("/usr/bin/reelhouse serve ")
    unit.write_text(text.replace("/usr/bin/reelhouse", program()))
    verified = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], text=True, capture_output=True)
    complaints = [line for line in verified.stderr.splitlines() if "reelhouse" in line]
    assert not verified.returncode and not complaints, verified.stderr
    # Exposure 0 (none) to 100; a plain unit has 96.
    scored = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=15", unit],
                            text=True, capture_output=True)
    assert scored.returncode == 0, scored.stdout


def kustomized() -> list[dict]:
    if not shutil.which("kubectl"):
        pytest.skip("this machine has no kubectl")
    made = subprocess.run(["kubectl", "kustomize", DEPLOY / "kubernetes"], text=True, capture_output=True)
    assert made.returncode == 0, made.stderr
    return list(yaml.safe_load_all(made.stdout))


def test_kustomization_fits_together():
    documents = {document["kind"]: document for document in kustomized()}
    assert set(documents) == {"ConfigMap", "Service", "StatefulSet"}
    pod = documents["StatefulSet"]["spec"]["template"]
    selector = documents["Service"]["spec"]["selector"]
    assert selector and selector == documents["StatefulSet"]["spec"]["selector"]["matchLabels"]
    assert selector.items() <= pod["metadata"]["labels"].items()
    names = {volume["name"] for volume in pod["spec"]["volumes"]}
    names |= {claim["metadata"]["name"] for claim in documents["StatefulSet"]["spec"]["volumeClaimTemplates"]}
    [container] = pod["spec"]["containers"]
    assert {mount["name"] for mount in container["volumeMounts"]} == names
    maps = [volume["configMap"]["name"] for volume in pod["spec"]["volumes"] if "configMap" in volume]
    assert maps == [documents["ConfigMap"]["metadata"]["name"]]
    assert container["image"] == f"reelhouse:{version()}"


def without_actions(text: str) -> str:
    """A template with a word in the place of each value, and without its conditions."""
    text = re.sub(r"^\s*\{\{-? *(?:if|with|end|range|define)\b.*\}\}\n", "", text, flags=re.MULTILINE)
    return re.sub(r"\{\{.*?\}\}", "value", text)


def test_chart_and_kustomization_describe_the_same_pod():
    ours = load("kubernetes/statefulset.yaml")["spec"]["template"]["spec"]
    chart = yaml.safe_load(without_actions((CHART / "templates/statefulset.yaml").read_text()))
    theirs = chart["spec"]["template"]["spec"]
    assert theirs.pop("imagePullSecrets") == "value"
    [mine], [other] = ours["containers"], theirs["containers"]
    assert mine.pop("resources") == values()["resources"]
    for key in ("image", "imagePullPolicy", "env", "resources"):
        other.pop(key)
    mine.pop("image")
    ours["volumes"][0]["configMap"]["name"] = "value"
    assert theirs == ours
    assert values()["configuration"] in (DEPLOY / "kubernetes/reelhouse.toml").read_text()


def test_tracing_can_be_switched_on(tmp_path):
    """What the comment says, with the marks of a comment taken away."""
    text = (DEPLOY / "kubernetes/reelhouse.toml").read_text()
    file = tmp_path / "reelhouse.toml"
    file.write_text(text.replace("# [tracing]", "[tracing]").replace("# endpoint", "endpoint").replace("# sample", "sample"))
    assert effective(file)["tracing"]["endpoint"] == "http://otel-collector:4318"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_template_is_balanced(path):
    text = path.read_text()
    assert text.count("{{") == text.count("}}")
    opened = re.findall(r"\{\{-? *(?:if|with|range|define)\b", text)
    assert len(opened) == len(re.findall(r"\{\{-? *end\b", text))
    if path.suffix == ".yaml":
        assert yaml.safe_load(without_actions(text))["kind"]


def leaves(document: dict, prefix: str = "") -> set[str]:
    found = set()
    for key, value in document.items():
        found |= leaves(value, f"{prefix}{key}.") if isinstance(value, dict) and value else {prefix + key}
    return found


def test_values_are_those_that_templates_use():
    text = "\n".join(path.read_text() for path in TEMPLATES)
    used = set(re.findall(r"\.Values\.([\w.]+)", text))
    there = leaves(values())
    for name in used:
        assert name in there or any(leaf.startswith(name + ".") for leaf in there), f"{name} is not in values.yaml"
    for leaf in there:
        assert any(leaf == name or leaf.startswith(name + ".") for name in used), f"no template uses {leaf}"
    defined = set(re.findall(r'define "([^"]+)"', text))
    assert set(re.findall(r'include "([^"]+)"', text)) == defined


def test_values_fit_their_schema():
    schema = json.loads((CHART / "values.schema.json").read_text())
    jsonschema.validate(values(), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(values() | {"storage": {"sise": "1Gi"}}, schema)


def test_helm_accepts_the_chart():
    if not shutil.which("helm"):
        pytest.skip("this machine has no helm")
    linted = subprocess.run(["helm", "lint", "--strict", CHART], text=True, capture_output=True)
    assert linted.returncode == 0, linted.stdout + linted.stderr
