"""Many clients at once: every rule holds as if they came one after the other."""
import threading
from concurrent.futures import ThreadPoolExecutor

import reelhouse_server
import requests
from tams_client import Client, multi_flow, new_id, segment, video_flow

CLIENTS = 200


def at_once(count: int, work) -> list:
    """Calls work(i, session) on `count` threads that start together; their results in order."""
    barrier = threading.Barrier(count)

    def run(i):
        with requests.Session() as session:
            session.trust_env = False
            barrier.wait()
            return work(i, session)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def check_store(server) -> None:
    """Ledgers equal a recount, and every object has its bytes."""
    server.stop()
    result = reelhouse_server.run("check", "--data-dir", server.data_dir, "--bytes")
    assert result.returncode == 0, result.stdout + result.stderr
    server.start()


def test_one_winner_per_place(fresh_server, rng):
    """200 clients post overlapping segments; exactly one gets each place."""
    client = Client(fresh_server.url)
    flow = client.put_flow()
    places = 20
    url = f"{client.url}/flows/{flow['id']}/segments"
    objects = [[item["object_id"] for item in client.allocate(flow["id"], places)] for _ in range(CLIENTS)]
    shifts = [rng.randrange(0, 1_000_000_000) for _ in range(CLIENTS)]
    orders = [rng.sample(range(places), places) for _ in range(CLIENTS)]

    def post(i, session):
        won = []
        for place in orders[i]:
            # All ranges for a place have the middle of it in common, so that they clash pairwise.
            body = {"object_id": objects[i][place],
                    "timerange": f"[{place * 4}:{shifts[i]}_{place * 4 + 2}:{shifts[i]})"}
            answer = session.post(url, json=body, timeout=120)
            assert answer.status_code in (201, 400), answer.text
            if answer.status_code == 201:
                won.append((place, body["timerange"], body["object_id"]))
        return won

    winners = [win for wins in at_once(CLIENTS, post) for win in wins]
    assert sorted(place for place, _, _ in winners) == list(range(places))
    stored = [(item["timerange"], item["object_id"]) for item in client.items(f"/flows/{flow['id']}/segments")]
    assert sorted(stored) == sorted((timerange, object_id) for _, timerange, object_id in winners)
    check_store(fresh_server)


def test_one_winner_in_bulk(fresh_server):
    """The same with bulk requests that overlap in part."""
    client = Client(fresh_server.url)
    flow = client.put_flow()
    url = f"{client.url}/flows/{flow['id']}/segments"
    count, clients = 50, 40
    objects = [[item["object_id"] for item in client.allocate(flow["id"], count)] for _ in range(clients)]

    def post(i, session):
        bodies = [segment(object_id, i * 10 + k) for k, object_id in enumerate(objects[i])]
        answer = session.post(url, json=bodies, timeout=120)
        assert answer.status_code in (200, 201), answer.text
        failed = {item["object_id"] for item in answer.json()["failed_segments"]} if answer.status_code == 200 else set()
        return [body for body in bodies if body["object_id"] not in failed]

    registered = [body for bodies in at_once(clients, post) for body in bodies]
    ranges = [body["timerange"] for body in registered]
    assert len(set(ranges)) == len(ranges)
    places = clients * 10 + count - 10
    assert sorted(ranges) == sorted(f"[{i}:0_{i + 1}:0)" for i in range(places)), "a place is free although it was asked for"
    stored = {(item["timerange"], item["object_id"]) for item in client.items(f"/flows/{flow['id']}/segments", limit=1000)}
    assert stored == {(body["timerange"], body["object_id"]) for body in registered}
    check_store(fresh_server)


def test_repeats_at_once_are_all_accepted(fresh_client):
    flow = fresh_client.put_flow()
    media = fresh_client.allocate(flow["id"])[0]["object_id"]
    url = f"{fresh_client.url}/flows/{flow['id']}/segments"
    answers = at_once(50, lambda i, session: session.post(url, json=segment(media, 0), timeout=60))
    assert {answer.status_code for answer in answers} == {201}, [answer.text for answer in answers]
    assert fresh_client.timeranges(flow["id"]) == ["[0:0_1:0)"]


def test_one_creates_a_flow(fresh_client):
    flow = video_flow()
    url = f"{fresh_client.url}/flows/{flow['id']}"
    answers = at_once(50, lambda i, session: session.put(url, json=flow | {"label": str(i)}, timeout=60))
    codes = [answer.status_code for answer in answers]
    assert sorted(codes) == [201] + [204] * 49, [answer.text for answer in answers]


def test_flows_of_one_source_come_and_go(fresh_server):
    client = Client(fresh_server.url)
    source = new_id()

    def work(i, session):
        for _ in range(10):
            flow = video_flow(source_id=source)
            url = f"{client.url}/flows/{flow['id']}"
            assert session.put(url, json=flow, timeout=60).status_code == 201
            assert session.get(f"{client.url}/sources/{source}", timeout=60).status_code == 200
            assert session.delete(url, timeout=60).status_code == 204

    at_once(20, work)
    client.get(f"/sources/{source}", expect=404)
    assert client.ids("/flows") == []
    check_store(fresh_server)


def test_a_flow_created_again_during_its_removal_keeps_its_segments(fresh_server):
    """DELETE of a large flow goes on while the flow is created again: the new one's segments are not the old one's."""
    client = Client(fresh_server.url)
    flow = client.put_flow()
    path = f"/flows/{flow['id']}"

    def elsewhere(start, count):
        urls = [{"url": "https://example.com", "label": "elsewhere"}]
        return [segment(new_id(), i, get_urls=urls) for i in range(start, start + count)]

    for round_ in range(40):
        client.post(path + "/segments", elsewhere(0, 1200), expect=201)
        remover = threading.Thread(target=lambda: Client(client.url).delete(path, expect=(202, 204)))
        remover.start()
        kept = []
        while client.put(path, flow).status_code != 201:
            pass
        for start in range(5000, 5020):
            body = elsewhere(start, 1)
            client.post(path + "/segments", body, expect=201)
            kept.append(body[0]["timerange"])
        remover.join()
        assert client.timeranges(flow["id"], limit=1000) == kept, f"round {round_}"
        client.delete(path + "/segments")


def test_no_edit_is_lost(fresh_client):
    flow = fresh_client.put_flow()
    url = f"{fresh_client.url}/flows/{flow['id']}/tags"

    def work(i, session):
        for k in range(5):
            assert session.put(f"{url}/t{i}.{k}", json="x", timeout=60).status_code == 204

    at_once(20, work)
    assert set(fresh_client.get(f"/flows/{flow['id']}/tags").json()) == {f"t{i}.{k}" for i in range(20) for k in range(5)}


def test_collections_and_deletes_at_once(fresh_server):
    """Members are deleted while collections take them up: no dangling reference stays."""
    client = Client(fresh_server.url)
    members = [client.put_flow()["id"] for _ in range(20)]
    collections = [client.put_flow(multi_flow())["id"] for _ in range(10)]

    def work(i, session):
        if i < len(members):
            assert session.delete(f"{client.url}/flows/{members[i]}", timeout=60).status_code == 204
            return
        collection = collections[i - len(members)]
        for k in range(len(members)):
            body = [{"id": member} for member in members[k:k + 3]]
            answer = session.put(f"{client.url}/flows/{collection}/flow_collection", json=body, timeout=60)
            assert answer.status_code in (204, 400), answer.text

    at_once(len(members) + len(collections), work)
    for collection in collections:
        assert client.get(f"/flows/{collection}").json().get("flow_collection", []) == []
    for member in members:
        client.get(f"/flows/{member}", expect=404)
    check_store(fresh_server)


def test_allocations_of_the_same_ids(fresh_client):
    flow = fresh_client.put_flow()
    ids = [new_id() for _ in range(5)]
    url = f"{fresh_client.url}/flows/{flow['id']}/storage"
    answers = at_once(30, lambda i, session: session.post(url, json={"object_ids": ids}, timeout=60))
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [201] + [400] * 29, [answer.text for answer in answers]


def test_reuse_and_removal_at_once(fresh_server):
    """An object is used again while its last use goes: either the bytes stay or the reuse is refused."""
    client = Client(fresh_server.url)
    for _ in range(30):
        one, two = client.put_flow(), client.put_flow()
        media = client.allocate(one["id"])[0]
        client.upload(media, b"bytes")
        client.post(f"/flows/{one['id']}/segments", segment(media["object_id"], 0), expect=201)

        def work(i, session, one=one["id"], two=two["id"], media=media["object_id"]):
            if i == 0:
                return session.delete(f"{client.url}/flows/{one}/segments", timeout=60)
            return session.post(f"{client.url}/flows/{two}/segments", json=segment(media, 0), timeout=60)

        deleted, reused = at_once(2, work)
        assert deleted.status_code == 204 and reused.status_code in (201, 400), reused.text
        if reused.status_code == 201:
            url = client.get(f"/objects/{media['object_id']}").json()["get_urls"][0]["url"]
            assert client.get(url).content == b"bytes"
        else:
            client.get(f"/objects/{media['object_id']}", expect=404)
    check_store(fresh_server)
