"""Figures against a plain recount: every number that /analytics tells is counted again from the listings of the API and
from what was uploaded."""
import datetime
import json
import time
from collections import Counter
from decimal import Decimal
from fractions import Fraction

import pytest
from tams_client import AUDIO, DATA, IMAGE, VIDEO, Client, audio_flow, data_flow, image_flow, new_id, pointer, video_flow

NS = 1_000_000_000
DURATION_BOUNDS = [Fraction(1, 10), Fraction(1, 2), 1, 2, 5, 10, 30, 60, 600]
SIZE_BOUNDS = [1 << bits for bits in (14, 17, 20, 23, 26, 29, 32)]
REPORTS = ("flow-usage", "storage-usage", "time-range-analysis")
TAI_MINUS_UTC = 37


def nanoseconds(text: str) -> int:
    seconds, _, rest = text.partition(":")
    return (-1 if seconds.startswith("-") else 1) * (abs(int(seconds)) * NS + int(rest))


def timestamp(value: int) -> str:
    return f"{'-' if value < 0 else ''}{abs(value) // NS}:{abs(value) % NS}"


def bounds(timerange: str) -> tuple[int, int]:
    """First nanosecond, and the first one behind."""
    start, _, end = timerange[1:-1].partition("_")
    return nanoseconds(start) + (timerange[0] == "("), nanoseconds(end) + (timerange[-1] == "]")


def report(client: Client, name: str, expect=200, **query) -> dict:
    response = client.get(f"/analytics/{name}", expect=expect, params=query)
    return json.loads(response.text, parse_float=Decimal)


class Recount:
    """Everything that the API lists, read once. `sizes`: of the objects whose bytes were uploaded."""

    def __init__(self, client: Client, sizes: dict[str, int]):
        self.sizes = sizes
        self.flows = {flow["id"]: flow for flow in client.items("/flows")}
        self.segments = {
            id_: [(*bounds(item["timerange"]), item["object_id"], item.get("init_object", {}).get("object_id"))
                  for item in client.items(f"/flows/{id_}/segments", accept_get_urls="", limit=1000)]
            for id_ in self.flows}

    def chosen(self, source_id=None, flow_id=None, timerange=None) -> list[str]:
        found = [id_ for id_, flow in self.flows.items()
                 if source_id in (None, flow["source_id"]) and flow_id in (None, id_)]
        if timerange == "()":
            return [id_ for id_ in found if not self.segments[id_]]
        return [id_ for id_ in found if timerange is None or self.overlapping(id_, timerange)]

    def overlapping(self, flow_id: str, timerange: str | None) -> list[tuple]:
        if timerange == "()":
            return []
        if timerange is None:
            return self.segments[flow_id]
        first, behind = bounds(timerange)
        return [item for item in self.segments[flow_id] if item[0] < behind and item[1] > first]

    def objects(self, flows: list[str]) -> tuple[set[str], set[str]]:
        """Media, and initialisation segments."""
        items = [item for id_ in flows for item in self.segments[id_]]
        return {item[2] for item in items}, {item[3] for item in items if item[3]}

    def flow_usage(self, **query) -> dict:
        flows = self.chosen(**query)
        media, init = self.objects(flows)
        total = sum(self.sizes.get(id_, 0) for id_ in media | init)
        essences = [self.flows[id_].get("essence_parameters", {}) for id_ in flows]
        return {
            "total_flows": len(flows),
            "format_distribution": Counter(self.flows[id_]["format"] for id_ in flows),
            "codec_distribution": Counter(self.flows[id_]["codec"] for id_ in flows if "codec" in self.flows[id_]),
            "resolution_distribution": Counter(
                f"{item['frame_width']}x{item['frame_height']}" for item in essences if "frame_width" in item),
            "estimated_storage_bytes": total,
            "average_flow_size": Fraction(total, len(flows)) if flows else 0,
        }

    def storage_usage(self, **query) -> dict:
        flows = self.chosen(**query)
        media, init = self.objects(flows)
        every = media | init
        sized = [self.sizes[id_] for id_ in every if id_ in self.sizes]
        with_copies = sum(self.sizes.get(item[2], 0) for id_ in flows for item in self.segments[id_])
        once = sum(self.sizes.get(id_, 0) for id_ in media)
        return {
            "total_objects": len(every),
            "objects_of_unknown_size": len(every) - len(sized),
            "total_size_bytes": sum(sized),
            "average_size_bytes": Fraction(sum(sized), len(sized)) if sized else 0,
            "size_distribution": classes(sized, SIZE_BOUNDS, "bytes", "objects"),
            "reuse": {"segment_bytes": with_copies, "media_bytes": once, "saved_bytes": with_copies - once},
        }

    def time_range_analysis(self, source_id=None, flow_id=None, timerange=None) -> dict:
        runs = [self.overlapping(id_, timerange) for id_ in self.chosen(source_id, flow_id)]
        durations = [Fraction(item[1] - item[0], NS) for run in runs for item in run]
        gaps = [Fraction(after[0] - before[1], NS) for run in runs for before, after in zip(run, run[1:])
                if after[0] > before[1]]
        total = sum(durations)
        found = {
            "total_segments": len(durations),
            "total_duration_seconds": total,
            "duration_distribution": classes(durations, DURATION_BOUNDS, "seconds", "segments"),
            "gaps": {"count": len(gaps), "total_seconds": sum(gaps), "longest_seconds": max(gaps, default=0)},
            "segment_bytes": sum(self.sizes.get(item[2], 0) for run in runs for item in run),
        }
        coverage = {"total_coverage_hours": total / 3600, "span_hours": 0}
        if durations:
            found |= {"average_duration_seconds": Fraction(int(total * NS + len(durations) // 2) // len(durations), NS),
                      "min_duration_seconds": min(durations), "max_duration_seconds": max(durations)}
            start = min(run[0][0] for run in runs if run)
            end = max(run[-1][1] for run in runs if run)
            coverage |= {"timerange": f"[{timestamp(start)}_{timestamp(end)})", "span_hours": Fraction(end - start, NS) / 3600,
                         "start_date": date(start), "end_date": date(end)}
        return found | {"time_coverage": coverage}


def date(value: int) -> str:
    moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=(value - TAI_MINUS_UTC * NS) // 1000)
    return moment.isoformat(timespec="microseconds") + "Z"


def classes(values: list, limits: list, unit: str, what: str) -> list[dict]:
    edges = [0, *limits]
    found = []
    for i, edge in enumerate(edges):
        bound = {f"at_least_{unit}": edge} | ({f"below_{unit}": limits[i]} if i < len(limits) else {})
        found.append(bound | {what: sum(edge <= value and (i == len(limits) or value < limits[i]) for value in values)})
    return found


def same(told, counted, at="") -> None:
    """Integers and decimals are exact; what cannot be written exactly is as near as a double comes."""
    if isinstance(counted, dict):
        assert set(told) == set(counted), at
        for name in counted:
            same(told[name], counted[name], f"{at}/{name}")
    elif isinstance(counted, list):
        assert len(told) == len(counted), at
        for i, item in enumerate(counted):
            same(told[i], item, f"{at}/{i}")
    elif at.endswith(("hours", "size_bytes", "flow_size")) and at.count("/") and not isinstance(counted, int):
        assert float(told) == pytest.approx(float(counted), rel=1e-12), at
    elif isinstance(counted, str):
        assert told == counted, at
    else:
        assert Fraction(told) == counted, f"{at}: {told} is not {counted}"


ACCESS_MEMBERS = {"total_access_count", "average_access_count", "most_accessed", "least_accessed"}


def check(client: Client, sizes: dict[str, int], queries: list[dict]) -> None:
    recount = Recount(client, sizes)
    for query in queries:
        same(report(client, "flow-usage", **query), recount.flow_usage(**query), f"flow-usage {query}")
        told = report(client, "storage-usage", **query)
        same({name: told[name] for name in told.keys() - ACCESS_MEMBERS}, recount.storage_usage(**query), f"storage {query}")
        same(report(client, "time-range-analysis", **query), recount.time_range_analysis(**query), f"time {query}")


class History:
    """Random work on a server."""

    def __init__(self, client: Client, rng):
        self.client, self.rng = client, rng
        self.sizes: dict[str, int] = {}
        self.places: dict[str, dict] = {}  # of objects without bytes: where to upload them
        self.flows: list[dict] = []
        self.sources = [new_id() for _ in range(3)]
        self.objects: list[str] = []
        self.retired: list[str] = []
        self.trash: list[dict] = []

    def step(self) -> None:
        actions = [self.add_flow] * 2 + [self.add_segments] * 6 + [self.delete_segments] * 2 + [self.upload_late] * 2 + \
            [self.delete_flow, self.restore]
        self.rng.choice(actions if self.flows else [self.add_flow])()

    def add_flow(self) -> None:
        if len(self.flows) >= 8:
            return
        kind = self.rng.choice((VIDEO, AUDIO, DATA, IMAGE))
        make = {VIDEO: video_flow, AUDIO: audio_flow, DATA: data_flow, IMAGE: image_flow}[kind]
        flow = make(source_id=new_id() if kind != VIDEO else self.rng.choice(self.sources))
        if self.retired and self.rng.random() < 0.5:
            flow["id"] = self.retired.pop()
        if kind == VIDEO and self.rng.random() < 0.5:
            flow["essence_parameters"]["frame_width"] = self.rng.choice((640, 1280))
        if kind == VIDEO and self.rng.random() < 0.3:
            flow["essence_parameters"]["init_segments"] = True
        self.client.put_flow(flow)
        self.flows.append(flow)

    def new_object(self, flow: dict) -> str:
        [place] = self.client.allocate(flow["id"])
        id_ = place["object_id"]
        self.places[id_] = place
        if self.rng.random() < 0.7:
            self.upload(id_)
        return id_

    def upload(self, id_: str) -> None:
        size = int(2 ** self.rng.uniform(0, 18))
        self.client.upload(self.places.pop(id_), b"x" * size)
        self.sizes[id_] = size

    def upload_late(self) -> None:
        waiting = [id_ for id_ in self.places if self.client.get(f"/objects/{id_}", expect=(200, 404)).status_code == 200]
        if waiting:
            self.upload(self.rng.choice(waiting))

    def moment(self) -> int:
        scale = self.rng.choice((3, 300, 30_000, 2_000_000_000))
        return self.rng.randrange(-scale * NS // 5, scale * NS)

    def add_segments(self) -> None:
        flow, at = self.rng.choice(self.flows), self.moment()
        init = self.new_object(flow) if flow["essence_parameters"].get("init_segments") else None
        body = []
        for _ in range(self.rng.randrange(1, 25)):
            duration = self.rng.choice((NS, 2 * NS, NS // 25, self.rng.randrange(1, 1000), int(10 ** self.rng.uniform(6, 12))))
            again = self.objects and self.rng.random() < 0.3
            id_ = self.rng.choice(self.objects) if again else self.new_object(flow)
            item = {"object_id": id_, "timerange": f"[{timestamp(at)}_{timestamp(at + duration)})"}
            if not again:
                item["object_timerange"] = "_"
                self.objects.append(id_)
            if init and not again:
                item["init_object_id"] = init
            body.append(item)
            at += duration + (self.rng.randrange(1, 100 * NS) if self.rng.random() < 0.2 else 0)
        # Some fail: their time is taken, or their object is gone or has another kind of flow.
        self.client.post(f"/flows/{flow['id']}/segments", body)

    def delete_segments(self) -> None:
        flow = self.rng.choice(self.flows)
        a, b = sorted((self.moment(), self.moment()))
        query = {"timerange": f"[{timestamp(a)}_{timestamp(b + 1)})"}
        if self.objects and self.rng.random() < 0.3:
            query = {"object_id": self.rng.choice(self.objects)}
        self.delete(f"/flows/{flow['id']}/segments", query)

    def delete(self, path: str, query: dict | None = None) -> None:
        """Waits until it is done: reports and listings are read one after the other."""
        answer = self.client.delete(path, params=query, expect=(202, 204))
        deadline = time.monotonic() + 60
        while answer.status_code == 202:
            request = self.client.get(f"/flow-delete-requests/{answer.json()['id']}").json()
            if request["status"] == "done":
                break
            assert time.monotonic() < deadline, request
            time.sleep(0.02)

    def delete_flow(self) -> None:
        flow = self.flows.pop(self.rng.randrange(len(self.flows)))
        if self.rng.random() < 0.5:
            self.delete(f"/flows/{flow['id']}", {"soft_delete": "true"})
            self.trash.append(flow)
        else:
            self.delete(f"/flows/{flow['id']}")
            self.retired.append(flow["id"])

    def restore(self) -> None:
        """A flow comes back with its segments."""
        if not self.trash:
            return
        flow = self.trash.pop(self.rng.randrange(len(self.trash)))
        [item] = [item for item in self.client.items("/trash") if item.get("flow", {}).get("id") == flow["id"]]
        self.client.post(f"/trash/{item['id']}/restore")
        self.flows.append(flow)

    def queries(self) -> list[dict]:
        a, b = sorted((self.moment(), self.moment()))
        timerange = self.rng.choice((f"[{timestamp(a)}_{timestamp(b + 1)})", f"({timestamp(a)}_{timestamp(b + 2)}]", "()"))
        some = [{}, {"timerange": timerange}]
        if self.flows:
            flow = self.rng.choice(self.flows)
            some += [{"flow_id": flow["id"]}, {"source_id": flow["source_id"], "timerange": timerange},
                     {"flow_id": flow["id"], "timerange": timerange},
                     {"flow_id": flow["id"], "source_id": self.rng.choice(self.flows)["source_id"]}]
        return some


@pytest.mark.parametrize("number", range(3))
def test_every_figure_equals_a_recount(fresh_server, fresh_client, rng, number):
    history = History(fresh_client, rng)
    for i in range(60):
        history.step()
        if i % 4 == 0:
            check(fresh_client, history.sizes, history.queries())
        if i == 40:
            fresh_server.kill()
            fresh_server.start()
            fresh_client = history.client = Client(fresh_server.url)
            history.places = {}  # the signed addresses were of the old port
    check(fresh_client, history.sizes, history.queries())
    fresh_server.restart()
    check(Client(fresh_server.url), history.sizes, history.queries())


def test_an_empty_store_has_figures(fresh_client):
    check(fresh_client, {}, [{}, {"timerange": "[0:0_1:0)"}, {"timerange": "()"}])
    assert report(fresh_client, "storage-usage")["most_accessed"] == []


def test_nothing_of_a_flow_passes_to_a_later_one(fresh_client):
    flow = fresh_client.put_flow()
    fresh_client.add_segments(flow["id"], 5)
    query = {"flow_id": flow["id"]}
    assert report(fresh_client, "time-range-analysis", **query)["total_segments"] == 5
    fresh_client.delete(f"/flows/{flow['id']}")
    assert report(fresh_client, "time-range-analysis")["total_segments"] == 0
    fresh_client.put_flow(flow)
    check(fresh_client, {}, [{}, query])


def read_media(client: Client, flow: dict, starts: list[int], method: str = "GET") -> None:
    for item in client.get(f"/flows/{flow['id']}/segments").json():
        if bounds(item["timerange"])[0] // NS in starts:
            client.request(method, item["get_urls"][0]["url"], 200)


def test_reads_of_media_are_counted(fresh_server, fresh_client):
    client = fresh_client
    flow = client.put_flow()
    places = client.allocate(flow["id"], 12)
    ids = sorted(place["object_id"] for place in places)
    for place in places:
        client.upload(place, b"content")
    client.post(f"/flows/{flow['id']}/segments",
                [{"object_id": id_, "timerange": f"[{i}:0_{i + 1}:0)"} for i, id_ in enumerate(ids)], expect=201)
    for _ in range(3):
        read_media(client, flow, [4])
    read_media(client, flow, [4, 7])
    read_media(client, flow, [9], method="HEAD")

    def told() -> dict:
        return report(client, "storage-usage")

    deadline = time.monotonic() + 60
    while told()["total_access_count"] != 5:
        assert time.monotonic() < deadline, told()
        time.sleep(0.1)
    expected = [{"object_id": ids[4], "access_count": 4, "size_bytes": 7},
                {"object_id": ids[7], "access_count": 1, "size_bytes": 7}]
    assert told()["most_accessed"] == expected
    assert told()["least_accessed"] == [{"object_id": id_, "access_count": 0, "size_bytes": 7}
                                        for id_ in ids if id_ not in (ids[4], ids[7])]
    assert float(told()["average_access_count"]) == pytest.approx(5 / 12)
    filtered = report(client, "storage-usage", flow_id=flow["id"])
    assert filtered["total_access_count"] == 5 and "most_accessed" not in filtered
    # What goes takes its reads along; the rest is there after a restart.
    client.delete(f"/flows/{flow['id']}/segments", params={"timerange": "[4:0_5:0)"})
    assert told()["total_access_count"] == 1 and told()["most_accessed"] == expected[1:]
    fresh_server.restart()
    assert report(Client(fresh_server.url), "storage-usage")["most_accessed"] == expected[1:]


def test_the_catalog_counts_rows(fresh_client):
    client = fresh_client
    flow = client.put_flow()
    client.add_segments(flow["id"], 7)
    tables = {table["name"]: table for table in report(client, "catalog-summary")["tables"]}
    for name, rows in (("flows", 1), ("sources", 1), ("segments", 7), ("objects", 7), ("object_uses", 7), ("webhooks", 0)):
        assert tables[name]["rows"] == rows, name
        assert set(tables[name]["growth"]) == {"this_hour", "last_24_hours", "last_7_days", "last_30_days"}
        assert tables[name]["growth"]["last_24_hours"] == rows, name
    client.delete(f"/flows/{flow['id']}/segments", params={"timerange": "[0:0_3:0)"})
    tables = {table["name"]: table for table in report(client, "catalog-summary")["tables"]}
    assert tables["segments"]["rows"] == tables["segments"]["growth"]["last_7_days"] == 4


@pytest.mark.parametrize("name", REPORTS)
def test_what_is_wrong_is_refused(client, name):
    path = f"/analytics/{name}"
    for parameter, value in (("flow_id", "x"), ("source_id", "x"), ("timerange", "[1:0_2"), ("timerange", "x")):
        assert pointer(client.get(path, expect=400, params={parameter: value})) == f"?{parameter}"
    client.get(path, expect=404, params={"flow_id": new_id()})
    client.get(path, expect=404, params={"source_id": new_id()})
    flow = client.put_flow()
    client.get(path, expect=404, params={"flow_id": flow["id"], "source_id": new_id()})
    client.head(path, params={"flow_id": flow["id"]})


def test_uploads_and_collections_of_objects_are_no_events(fresh_client):
    client = fresh_client
    flow = client.put_flow()
    [place] = client.allocate(flow["id"])
    client.post(f"/flows/{flow['id']}/segments", [{"object_id": place["object_id"], "timerange": "[0:0_1:0)"}])
    client.upload(place, b"late")
    assert report(client, "flow-usage")["estimated_storage_bytes"] == 4
    client.delete(f"/flows/{flow['id']}/segments")
    assert report(client, "flow-usage")["estimated_storage_bytes"] == 0
    types = {change["type"] for change in client.items("/audit")}
    assert types == {"sources/created", "flows/created", "flows/segments_added", "flows/segments_deleted"}
