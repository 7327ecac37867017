"""If-Match and If-None-Match on writes: nothing that a client has not seen is overwritten."""
import requests
from test_concurrency import at_once
from tams_client import Client, multi_flow, new_id, pointer, segment, video_flow

import pytest


def etag(client: Client, path: str) -> str:
    return client.get(path, headers={"Accept-Encoding": "identity"}).headers["ETag"]


@pytest.fixture
def places(client):
    """Paths whose value can be changed, with two values for each."""
    flow = client.put_flow(label="a", description="a", tags={"x": "a"}, max_bit_rate=1, avg_bit_rate=1)
    multi = client.put_flow(multi_flow(flow_collection=[{"id": flow["id"]}]))
    body = {"format": flow["format"], "label": "a", "description": "a", "tags": {"x": "a"}}
    source = client.post("/sources", body, expect=201).json()
    path, source_path = f"/flows/{flow['id']}", f"/sources/{source['id']}"
    hook = {"url": "https://example.com", "events": []}
    hook = client.post("/service/webhooks", hook, expect=201).json()
    return {
        path: [flow | {"label": label} for label in "bc"],
        f"{path}/label": ["b", "c"], f"{path}/description": ["b", "c"], f"{path}/tags/x": ["b", ["c"]],
        f"{path}/max_bit_rate": [2, 3], f"{path}/avg_bit_rate": [2, 3],
        f"/flows/{multi['id']}/flow_collection": [[], [{"id": flow["id"], "role": "x"}]],
        source_path: [body | {"label": label} for label in "bc"],
        f"{source_path}/label": ["b", "c"], f"{source_path}/description": ["b", "c"],
        f"{source_path}/tags/x": ["b", ["c"]],
        f"/service/webhooks/{hook['id']}": [{**hook, "url": f"https://example.com/{name}"} for name in "bc"],
    }


def test_every_place(client, places):
    for path, (one, two) in places.items():
        seen = etag(client, path)
        client.request("PUT", path, (200, 201, 204), json=one, headers={"If-Match": seen})
        now = client.get(path).json()
        assert client.request("PUT", path, 412, json=two, headers={"If-Match": seen}).headers.get("ETag") is None
        error = client.request("PUT", path, 412, json=two, headers={"If-None-Match": "*"})
        assert pointer(error) == "If-None-Match"
        client.request("DELETE", path, 412, headers={"If-Match": seen})
        assert client.get(path).json() == now, path
        client.request("PUT", path, (200, 201, 204), json=two, headers={"If-Match": f'"x", {etag(client, path)}'})
    for path in reversed(places):  # parts first
        client.request("DELETE", path, (202, 204), headers={"If-Match": etag(client, path)})


def test_forms_of_the_field(client):
    path = f"/flows/{client.put_flow(label='a')['id']}/label"
    seen = etag(client, path)
    for stale in ['"x"', '"x", "y"', "W/" + seen, seen.strip('"'), seen[:-1], "", ","]:
        assert pointer(client.request("PUT", path, 412, json="b", headers={"If-Match": stale})) == "If-Match"
    for good in ["*", seen, f'"x",{seen}', f'W/"y" , {seen}', seen[:-1] + '-gzip"']:
        client.request("PUT", path, 204, json="a", headers={"If-Match": good})
    for taken in ["*", seen, "W/" + seen, f'"x", {seen}']:
        client.request("PUT", path, 412, json="b", headers={"If-None-Match": taken})
    client.request("PUT", path, 412, json="b", headers={"If-Match": seen, "If-None-Match": seen})
    client.request("PUT", path, 204, json="b", headers={"If-Match": seen, "If-None-Match": '"x"'})
    assert client.get(path).json() == "b"


def test_several_fields_are_one_list(server, client):
    import http.client
    path = f"/flows/{client.put_flow(label='a')['id']}/label"
    connection = http.client.HTTPConnection(client.url.removeprefix("http://"), timeout=30)
    connection.putrequest("PUT", path)
    for name, value in [("If-Match", '"x"'), ("If-Match", etag(client, path)), ("Content-Length", "3")]:
        connection.putheader(name, value)
    connection.endheaders(b'"b"')
    assert connection.getresponse().status == 204


def test_create_only(client):
    flow = video_flow()
    path = f"/flows/{flow['id']}"
    client.request("PUT", path, 412, json=flow, headers={"If-Match": "*"})
    client.get(path, expect=404)
    client.request("PUT", path, 201, json=flow, headers={"If-None-Match": "*"})
    client.request("PUT", path, 412, json=flow | {"label": "x"}, headers={"If-None-Match": "*"})
    for part in ("label", "tags/x"):
        client.request("DELETE", f"{path}/{part}", (404, 412), headers={"If-Match": "*"})
        client.request("PUT", f"{path}/{part}", 204, json="a", headers={"If-None-Match": "*"})
        client.request("PUT", f"{path}/{part}", 412, json="b", headers={"If-None-Match": "*"})
        assert client.get(f"{path}/{part}").json() == "a"


def test_what_is_shown_beside_the_metadata_counts(client):
    flow = client.put_flow()
    path = f"/flows/{flow['id']}"
    for change in (lambda: client.add_segments(flow["id"], 1),
                   lambda: client.put_flow(multi_flow(flow_collection=[{"id": flow["id"]}]))):
        seen = etag(client, path)
        change()
        client.request("PUT", path, 412, json=flow, headers={"If-Match": seen})
        client.request("DELETE", path, 412, headers={"If-Match": seen})
        client.request("DELETE", path + "?soft_delete=true", 412, headers={"If-Match": seen})
    client.request("DELETE", path, (202, 204), headers={"If-Match": etag(client, path)})


def test_other_refusals_come_first(client):
    stale = {"If-Match": '"x"'}
    client.request("DELETE", f"/flows/{new_id()}", 404, headers=stale)
    client.request("PUT", f"/sources/{new_id()}/label", 404, json="x", headers=stale)
    flow = client.put_flow()
    client.request("PUT", f"/flows/{flow['id']}", 400, json={}, headers=stale)
    client.put(f"/flows/{flow['id']}/read_only", True)
    client.request("PUT", f"/flows/{flow['id']}/label", 403, json="x", headers=stale)


def test_where_conditions_mean_nothing_they_are_refused(client):
    flow = client.put_flow()
    media = client.allocate(flow["id"])[0]["object_id"]
    for headers in ({"If-Match": "*"}, {"If-None-Match": "*"}):
        client.request("POST", f"/flows/{flow['id']}/segments", 400, json=segment(media, 0), headers=headers)
    assert client.timeranges(flow["id"]) == []


def increments(client: Client, url: str, read, write, clients: int = 30, each: int = 5) -> int:
    """Many clients count on; returns how often one came too late."""
    def work(i, session):
        late = 0
        for _ in range(each):
            while True:
                seen = session.get(url, timeout=60)
                answer = session.put(url, json=write(seen.json()), headers={"If-Match": seen.headers["ETag"]}, timeout=60)
                if answer.status_code == 204:
                    break
                assert answer.status_code == 412, answer.text
                late += 1
        return late

    late = sum(at_once(clients, work))
    assert read(requests.get(url, timeout=60).json()) == clients * each
    return late


def test_no_increment_is_lost(fresh_client):
    flow = fresh_client.put_flow(tags={"count": "0", "other": "0"})
    url = f"{fresh_client.url}/flows/{flow['id']}"

    def counted(document):
        tags = document["tags"]
        return document | {"tags": tags | {"count": str(int(tags["count"]) + 1)}}

    late = increments(fresh_client, url, lambda document: int(document["tags"]["count"]), counted)
    late += increments(fresh_client, f"{url}/tags/other", int, lambda value: str(int(value) + 1))
    assert late > 0, "the clients never met"
    source = f"{fresh_client.url}/sources/{flow['source_id']}/label"
    fresh_client.put(f"/sources/{flow['source_id']}/label", "0")
    increments(fresh_client, source, int, lambda value: str(int(value) + 1), clients=10)


def test_a_flow_that_has_grown_is_not_deleted(fresh_client):
    """DELETE with If-Match and a new segment at once: one of them is refused."""
    outcomes = set()
    for _ in range(60):
        flow = fresh_client.put_flow()
        media = fresh_client.allocate(flow["id"])[0]["object_id"]
        url = f"{fresh_client.url}/flows/{flow['id']}"
        seen = etag(fresh_client, f"/flows/{flow['id']}")

        def work(i, session, url=url, media=media, seen=seen):
            if i == 0:
                return session.delete(url, headers={"If-Match": seen}, timeout=60).status_code
            return session.post(f"{url}/segments", json=segment(media, 0), timeout=60).status_code

        outcomes.add(tuple(at_once(2, work)))
    assert outcomes <= {(204, 404), (202, 404), (412, 201)}, outcomes
