"""Instances of objects: copies on other storage backends, and URLs that clients tell."""
import threading
import time

import pytest
from tams_client import Client, new_id, pointer, segment, segment_path

CONTENT = bytes(range(256)) * 400
UNKNOWN = "0a1b2c3d-0000-4000-8000-000000000000"


def write_config(folder, *labels, **tags):
    """A configuration with one backend per label; the first is the default."""
    text = ""
    for label in labels:
        text += f'[[storage]]\nlabel = "{label}"\npath = "{folder}/{label}"\n'
        text += f"default_storage = {'true' if label == labels[0] else 'false'}\n"
        if label in tags:
            text += f'[storage.tags]\ntier = "{tags[label]}"\n'
    path = folder / "reelhouse.toml"
    path.write_text(text)
    return path


@pytest.fixture
def backends(serve, tmp_path):
    """A server with two backends: its client, and their ids by label."""
    server = serve("--config", str(write_config(tmp_path, "fast", "slow", fast="hot", slow="cold")))
    client = Client(server.url)
    client.server = server
    client.folder = tmp_path
    ids = {backend["label"]: backend["id"] for backend in client.get("/service/storage-backends").json()}
    return client, ids


def add_object(client, content=CONTENT, flow=None, **allocation):
    """The id of a registered object with these bytes."""
    flow = flow or client.put_flow()
    media = client.allocate(flow["id"], **allocation)[0]
    if content is not None:
        client.upload(media, content)
    client.post(f"/flows/{flow['id']}/segments", segment(media["object_id"], 0), expect=201)
    return media["object_id"]


def add_external(client, labels=("a",)):
    flow, object_id = client.put_flow(), new_id()
    urls = [{"url": f"https://{label}.example/x", "label": label} for label in labels]
    client.post(f"/flows/{flow['id']}/segments", segment(object_id, 0, get_urls=urls), expect=201)
    return object_id


def path_of(object_id):
    return f"/objects/{segment_path(object_id)}"


def add(client, object_id, body, expect=201):
    return client.post(path_of(object_id) + "/instances", body, expect=expect)


def remove(client, object_id, expect=204, **query):
    return client.delete(path_of(object_id) + "/instances", expect=expect, params=query)


def urls_of(client, object_id, **query):
    return client.get(path_of(object_id), params=query).json()["get_urls"]


def labels_of(client, object_id, **query):
    """In the order in which they are shown, each once."""
    return list(dict.fromkeys(url["label"] for url in urls_of(client, object_id, **query)))


def await_labels(client, object_id, labels):
    deadline = time.monotonic() + 60
    while (found := set(labels_of(client, object_id))) != set(labels):
        assert time.monotonic() < deadline, f"{found} instead of {labels}"
        time.sleep(0.02)


def files_of(client, label):
    return [path for path in (client.folder / label / "media").rglob("*") if path.is_file()]


def await_no_files(client, label):
    deadline = time.monotonic() + 60
    while found := files_of(client, label):
        assert time.monotonic() < deadline, found
        time.sleep(0.02)


# Copies.

def test_a_copy_is_made_and_told_everywhere(backends):
    client, ids = backends
    flow = client.put_flow()
    object_id = add_object(client, flow=flow)
    assert labels_of(client, object_id) == ["fast"]
    add(client, object_id, {"storage_id": ids["slow"]})
    await_labels(client, object_id, ["fast", "slow"])
    found = urls_of(client, object_id, verbose_storage="true")
    assert [(url["storage_id"], url.get("presigned", False)) for url in found] == [
        (ids["fast"], True), (ids["fast"], False), (ids["slow"], True), (ids["slow"], False)]
    assert [url["tags"] for url in found] == [{"tier": "hot"}] * 2 + [{"tier": "cold"}] * 2
    for url in found:
        got = client.get(url["url"])
        assert got.content == CONTENT and got.headers["Content-Type"] == flow["container"]
    assert len({client.head(url["url"]).headers["ETag"] for url in found}) == 1
    shown = client.get(f"/flows/{flow['id']}/segments").json()[0]["get_urls"]
    assert [url["label"] for url in shown] == ["fast", "fast", "slow", "slow"]
    assert len(files_of(client, "slow")) == 1


@pytest.mark.parametrize("query, labels", [
    ({"storage_backend_tag.tier": "cold"}, ["slow"]), ({"storage_backend_tag.tier": "hot,cold"}, ["fast", "slow"]),
    ({"storage_backend_tag.tier": "col"}, []), ({"storage_backend_tag_exists.tier": "true"}, ["fast", "slow"]),
    ({"storage_backend_tag_exists.tier": "false"}, ["far"]), ({"accept_get_urls": "far,slow"}, ["slow", "far"]),
    ({"storage_backend_tag.tier": "cold", "accept_get_urls": "fast"}, []),
])
def test_instances_are_chosen_by_their_backends_tags(backends, query, labels):
    client, ids = backends
    flow = client.put_flow()
    object_id = add_object(client, flow=flow)
    add(client, object_id, {"storage_id": ids["slow"]})
    add(client, object_id, {"url": "https://far.example/x", "label": "far"})
    await_labels(client, object_id, ["fast", "slow", "far"])
    assert labels_of(client, object_id, **query) == labels
    shown = client.get(f"/flows/{flow['id']}/segments", params=query).json()[0]["get_urls"]
    assert list(dict.fromkeys(url["label"] for url in shown)) == labels


def test_wrong_copies(backends):
    client, ids = backends
    object_id = add_object(client)
    assert pointer(add(client, object_id, {"storage_id": UNKNOWN}, 400)) == "/storage_id"
    assert pointer(add(client, object_id, {"storage_id": ids["fast"]}, 400)) == "/storage_id"
    add(client, object_id, {"storage_id": ids["slow"]})
    assert pointer(add(client, object_id, {"storage_id": ids["slow"]}, 400)) == "/storage_id"
    without_bytes = add_object(client, content=None)
    assert pointer(add(client, without_bytes, {"storage_id": ids["slow"]}, 400)) == "/storage_id"
    # What lies only at URLs of others is not fetched.
    assert pointer(add(client, add_external(client), {"storage_id": ids["slow"]}, 400)) == "/storage_id"


@pytest.mark.parametrize("body, where", [
    ({}, ""), ([], ""), ("x", ""), ({"storage_id": "x"}, "/storage_id"), ({"storage_id": 5}, "/storage_id"),
    ({"url": "https://x"}, ""), ({"label": "x"}, ""), ({"url": 5, "label": "x"}, "/url"),
    ({"url": "https://x", "label": ""}, "/label"), ({"url": "", "label": "x"}, "/url"),
    ({"storage_id": UNKNOWN, "url": "https://x", "label": "x"}, ""),
])
def test_wrong_bodies(client, body, where):
    response = add(client, add_object(client), body, 400)
    assert (pointer(response) or "") == where, response.text


def test_objects_without_a_segment_have_no_instances(client):
    flow = client.put_flow()
    for object_id in (client.allocate(flow["id"])[0]["object_id"], "nothing"):
        add(client, object_id, {"url": "https://x.example", "label": "x"}, 404)
        remove(client, object_id, 404, label="x")


def test_copies_survive_a_restart(backends):
    """The server is killed while it copies; afterwards every copy is there and right."""
    client, ids = backends
    flow = client.put_flow()
    content = CONTENT * 100
    media = client.allocate(flow["id"], 12)
    for item in media:
        client.upload(item, content + item["object_id"].encode())
    client.post(f"/flows/{flow['id']}/segments",
                [segment(item["object_id"], i) for i, item in enumerate(media)], expect=201)
    asked = [item["object_id"] for item in media]
    for object_id in asked:
        add(client, object_id, {"storage_id": ids["slow"]})
    for _ in range(3):
        client.server.kill()
        client.server.start(client.url.removeprefix("http://"))
        client.session.close()
    for object_id in asked:
        await_labels(client, object_id, ["fast", "slow"])
        for url in urls_of(client, object_id, accept_get_urls="slow"):
            assert client.get(url["url"]).content == content + object_id.encode()
    assert len(files_of(client, "slow")) == len(asked), "an interrupted copy left bytes behind"
    client.delete(f"/flows/{flow['id']}")
    await_no_files(client, "fast")
    await_no_files(client, "slow")


def test_an_object_that_goes_takes_its_copies_with_it(backends):
    client, ids = backends
    flow = client.put_flow()
    for _ in range(20):
        object_id = add_object(client, flow=flow)
        add(client, object_id, {"storage_id": ids["slow"]})
        client.delete(f"/flows/{flow['id']}/segments")  # perhaps in the middle of the copy
    client.server.restart()
    await_no_files(client, "slow")
    await_no_files(client, "fast")


# URLs.

def test_urls_can_be_added(client):
    object_id = add_object(client)
    add(client, object_id, {"url": "https://a.example/x?y=%20", "label": "a"})
    add(client, object_id, {"url": "s3://bucket/key", "label": "b"})
    found = urls_of(client, object_id, verbose_storage="true")
    assert [url["label"] for url in found] == ["local", "local", "a", "b"], "our own come first"
    assert found[2] == {"url": "https://a.example/x?y=%20", "label": "a", "controlled": False}


def test_labels_are_unique(backends):
    client, _ = backends
    object_id = add_object(client)
    add(client, object_id, {"url": "https://a.example", "label": "a"})
    assert pointer(add(client, object_id, {"url": "https://other.example", "label": "a"}, 400)) == "/label"
    for label in ("fast", "slow"):
        assert pointer(add(client, object_id, {"url": "https://a.example", "label": label}, 400)) == "/label"
    assert labels_of(client, object_id) == ["fast", "a"]
    add(client, add_object(client), {"url": "https://a.example", "label": "a"})


def test_of_urls_with_one_label_one_is_added(client):
    object_id = add_object(client)
    statuses = []

    def run(number):
        statuses.append(Client(client.url).post(f"{path_of(object_id)}/instances",
                                                {"url": f"https://{number}.example", "label": "same"}, expect=(201, 400)).status_code)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201] + [400] * 7
    assert labels_of(client, object_id) == ["local", "same"]


def test_instances_are_bounded(serve):
    client = Client(serve("--set", "limits.instances_max=3").url)
    object_id = add_object(client)
    for label in ("a", "b"):
        add(client, object_id, {"url": "https://x.example", "label": label})
    add(client, object_id, {"url": "https://x.example", "label": "c"}, 400)


def test_an_object_of_others_gains_and_loses_urls(client):
    object_id = add_external(client, ("a",))
    remove(client, object_id, 400, label="a")
    add(client, object_id, {"url": "https://b.example", "label": "b"})
    remove(client, object_id, label="a")
    assert labels_of(client, object_id) == ["b"]
    remove(client, object_id, 400, label="b")


def test_init_objects_have_instances_of_their_own(client):
    from tams_client import video_flow
    flow = client.put_flow(essence_parameters=video_flow()["essence_parameters"] | {"init_segments": True})
    media, init = (item["object_id"] for item in client.allocate(flow["id"], 2))
    client.post(f"/flows/{flow['id']}/segments", segment(media, 0, init_object_id=init), expect=201)
    add(client, media, {"url": "https://media.example", "label": "far"})
    assert labels_of(client, init) == ["local"]
    add(client, init, {"url": "https://init.example", "label": "away"})
    shown = client.get(f"/flows/{flow['id']}/segments", params={"presigned": "false"}).json()[0]
    assert [url["label"] for url in shown["get_urls"]] == ["local", "far"]
    assert [url["label"] for url in shown["init_object"]["get_urls"]] == ["local", "away"]
    remove(client, media, label="far")
    assert labels_of(client, init) == ["local", "away"]


# Removal.

def test_an_instance_can_be_removed(backends):
    client, ids = backends
    object_id = add_object(client)
    add(client, object_id, {"storage_id": ids["slow"]})
    await_labels(client, object_id, ["fast", "slow"])
    old = urls_of(client, object_id, accept_get_urls="fast")
    remove(client, object_id, storage_id=ids["fast"])
    assert labels_of(client, object_id) == ["slow"]
    for url in old:
        client.get(url["url"], expect=404)
    for url in urls_of(client, object_id):
        assert client.get(url["url"]).content == CONTENT
    await_no_files(client, "fast")
    # And back again.
    add(client, object_id, {"storage_id": ids["fast"]})
    await_labels(client, object_id, ["fast", "slow"])
    remove(client, object_id, label="slow")
    assert labels_of(client, object_id) == ["fast"]
    assert client.get(urls_of(client, object_id)[0]["url"]).content == CONTENT


def test_the_last_instance_stays(backends):
    client, ids = backends
    object_id = add_object(client)
    remove(client, object_id, 400, storage_id=ids["fast"])
    remove(client, object_id, 400, label="fast")
    add(client, object_id, {"url": "https://a.example", "label": "a"})
    remove(client, object_id, storage_id=ids["fast"])
    assert labels_of(client, object_id) == ["a"]
    assert pointer(add(client, object_id, {"storage_id": ids["slow"]}, 400)) == "/storage_id"
    await_no_files(client, "fast")


def test_wrong_removals(backends):
    client, ids = backends
    object_id = add_object(client)
    assert pointer(remove(client, object_id, 400)) == "?storage_id"
    assert pointer(remove(client, object_id, 400, storage_id=ids["fast"], label="fast")) == "?storage_id"
    assert pointer(remove(client, object_id, 404, storage_id="x")) == "?storage_id"
    remove(client, object_id, 404, storage_id=ids["slow"])
    remove(client, object_id, 404, label="nothing")
    assert labels_of(client, object_id) == ["fast"]


def test_of_two_instances_two_clients_cannot_remove_both(backends):
    client, _ = backends
    for _ in range(10):
        object_id = add_external(client, ("a", "b"))
        statuses = []

        def run(label, of=object_id):
            statuses.append(Client(client.url).delete(path_of(of) + "/instances", expect=(204, 400),
                                                      params={"label": label}).status_code)

        threads = [threading.Thread(target=run, args=(label,)) for label in "ab"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(statuses) == [204, 400]
        assert len(labels_of(client, object_id)) == 1


def test_backup_and_check_know_every_instance(backends, tmp_path):
    import reelhouse_server
    client, ids = backends
    object_id = add_object(client)
    add(client, object_id, {"storage_id": ids["slow"]})
    await_labels(client, object_id, ["fast", "slow"])
    client.server.stop()
    config = tmp_path / "reelhouse.toml"
    options = ("--config", config, "--data-dir", client.server.data_dir)
    assert reelhouse_server.run("check", *options, "--bytes").returncode == 0
    copied = reelhouse_server.run("backup", *options, tmp_path / "copy")
    assert copied.returncode == 0, copied.stderr
    for label in ("fast", "slow"):
        saved = [path for path in (tmp_path / "copy" / "media" / label).rglob("*") if path.is_file()]
        assert [path.read_bytes() for path in saved] == [CONTENT]
    damaged = files_of(client, "slow")[0]
    damaged.write_bytes(b"x" + CONTENT[1:])
    found = reelhouse_server.run("check", *options, "--bytes")
    assert found.returncode != 0 and object_id in found.stdout + found.stderr
