"""Who may do what: credentials of every kind against every operation."""
import base64
import http.client
import json
import re
import subprocess
import time

import pytest
import requests
from jwt_issuer import ISSUER, Issuer, Key, b64
from reelhouse_server import environment, program, run
from tams_client import Client, new_id, segment, video_flow

ROLES = {"viewer": {"read"}, "editor": {"read", "write", "delete"}, "admin": {"read", "write", "delete", "admin"}}
PASSWORD = "correct horse"
METHODS = ("get", "head", "post", "put", "delete")


def make_key(data_dir, role: str, *flags: str) -> str:
    """A key made while no server runs."""
    done = run("keys", "create", f"the {role}", "--role", role, "--data-dir", data_dir, *flags)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


class Guarded:
    """A server with every kind of credential, and one credential of each kind."""

    def __init__(self, serve_in, folder):
        self.data_dir = folder / "data"
        self.keys = {role: make_key(self.data_dir, role) for role in ROLES}
        lines = [subprocess.run([program(), "password", role, "--role", role], input=PASSWORD + "\n", text=True,
                                capture_output=True, check=True, env=environment()).stdout for role in ROLES]
        users = folder / "users"
        users.write_text("".join(lines))
        self.signers = [Key(name, name.lower()) for name in ("HS256", "RS256", "ES256", "EdDSA")]
        jwks = folder / "jwks.json"
        jwks.write_text(json.dumps({"keys": [key.jwk() for key in self.signers]}))
        self.server = serve_in(
            folder, "--set", "auth.modes=api_key,basic,jwt", "--set", f"auth.users_file={users}",
            "--set", f"auth.jwt_issuer={ISSUER}", "--set", "auth.jwt_audience=reelhouse",
            "--set", f"auth.jwt_keys={jwks}", "--set", "limits.auth_failures_per_second=0",
            "--set", "log.level=debug")
        self.url = self.server.url

    def ask(self, method: str, path: str, **options) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            return session.request(method, self.url + path, timeout=60, **options)

    def who(self, **options) -> requests.Response:
        return self.ask("GET", "/auth/identity", **options)

    def client(self, role: str) -> Client:
        client = Client(self.url)
        client.session.headers["X-Api-Key"] = self.keys[role]
        return client

    def credentials(self) -> dict[str, tuple[set, dict]]:
        """What each may, and how a request carries it."""
        found = {"nobody": (None, {})}
        for role, may in ROLES.items():
            basic = base64.b64encode(f"{role}:{PASSWORD}".encode()).decode()
            found |= {f"key of {role}": (may, {"X-Api-Key": self.keys[role]}),
                      f"bearer key of {role}": (may, {"Authorization": f"Bearer {self.keys[role]}"}),
                      f"password of {role}": (may, {"Authorization": f"Basic {basic}"}),
                      f"token of {role}": (may, bearer(self.signers[1].token(scope=role)))}
        for word, may in (("read", "read"), ("write", "write"), ("delete", "delete")):
            found[f"scope {word}"] = ({may}, bearer(self.signers[2].token(scope=f"tams-api/{word}")))
        found["token without scope"] = (set(), bearer(self.signers[3].token(scope=None)))
        return found


def bearer(token: str) -> dict:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
def guarded(serve_in, tmp_path_factory):
    return Guarded(serve_in, tmp_path_factory.mktemp("guarded"))


def raw_status(url: str, method: str, target: str) -> int:
    """The status for a target that is sent as it is written."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)
    connection.request(method, target)
    status = connection.getresponse().status
    connection.close()
    return status


def refused(response: requests.Response, status: int) -> None:
    assert response.status_code == status, response.text
    assert response.headers.get("WWW-Authenticate", "").startswith("Bearer") == (status == 401)


# Every credential on every operation.

def test_every_operation_says_what_it_needs(guarded):
    document = guarded.ask("GET", "/openapi.json").json()
    assert set(document["components"]["securitySchemes"]) == {"api_key", "bearer", "basic", "access_token", "signed_url"}
    open_to_all, for_admins = set(), set()
    for path, item in document["paths"].items():
        for method, operation in item.items():
            needs = operation["x-permission"]
            names = {name for scheme in operation["security"] for name in scheme}
            if needs == "nothing":
                open_to_all.add(path)
                assert not names
            else:
                assert {"api_key", "bearer", "basic"} <= names
                assert ("access_token" in names) == (method in ("get", "head"))
                assert ("signed_url" in names) == path.startswith("/media/")
            if needs == "admin":
                for_admins.add(f"{method} {path}")
            if method in ("post", "put", "delete"):
                assert needs in ("write", "delete", "admin") or path == "/sql", f"{method} {path}"
    assert open_to_all == {"/livez", "/readyz", "/openapi.json", "/docs", "/docs/{file}", "/redoc", "/redoc/{file}"}
    # A route that does not say what it needs ends up here too.
    hooks = "/service/webhooks"
    table = "/tables/{table}"
    assert for_admins == {
        "post /service", "get /auth/keys", "head /auth/keys", "post /auth/keys", "delete /auth/keys/{keyId}",
        "get /audit", "head /audit", "post /tables", f"delete {table}", f"post {table}/migrations",
        f"post {table}/rollback", "post /dropped-tables/{tableId}/restore", "post /schemas", "delete /schemas/{schema}",
        f"get {hooks}", f"head {hooks}", f"post {hooks}",
        *(f"{method} {hooks}/{{webhookId}}" for method in ("get", "head", "put", "delete"))}


@pytest.mark.parametrize("prefix, operations", [("", 60), ("/v8.2", 60), ("/v6.0", 50)])
def test_every_credential_on_every_operation(guarded, prefix, operations):
    paths = guarded.ask("GET", f"{prefix}/openapi.json").json()["paths"]
    credentials = guarded.credentials()
    count = 0
    for path, item in paths.items():
        concrete = re.sub(r"\{(\w+)\}", lambda _: new_id(), path)
        for method in set(item) & set(METHODS):
            needs = item[method]["x-permission"]
            for name, (may, headers) in credentials.items():
                # A body that no operation takes: who may gets 400 or 404, and nothing happens.
                body = {} if method in ("get", "head", "delete") else {"data": "?"}
                # GET /events goes on until the client goes.
                response = guarded.ask(method.upper(), prefix + concrete, headers=headers, stream=True, **body)
                response.close()
                where = f"{name}: {method} {prefix}{path} ({needs}) answered {response.status_code}"
                if needs == "nothing":
                    assert response.status_code not in (401, 403), where
                elif may is None:
                    assert response.status_code == 401, where
                elif needs == "identity" or needs in may:
                    assert response.status_code not in (401, 403), where
                else:
                    assert response.status_code == 403, where
                count += 1
    print(f"{count} combinations")
    assert count >= 17 * operations


# API keys.

def test_a_key_lives_from_its_creation_to_its_revocation(guarded):
    admin = guarded.client("admin")
    made = admin.post("/auth/keys", {"name": "camera", "role": "editor"}, expect=201).json()
    headers = {"X-Api-Key": made["key"]}
    assert guarded.who(headers=headers).json() == {"name": "camera", "permissions": ["read", "write", "delete"]}
    listed = next(key for key in admin.get("/auth/keys").json() if key["id"] == made["id"])
    assert "key" not in listed and listed["created_by"] == "the admin" and listed["last_used"] > listed["created"]
    admin.delete(f"/auth/keys/{made['id']}")
    refused(guarded.who(headers=headers), 401)
    admin.delete(f"/auth/keys/{made['id']}", expect=404)


def test_a_key_expires(guarded):
    admin = guarded.client("admin")
    admin.post("/auth/keys", {"name": "x", "role": "viewer", "expires": "2001-01-01T00:00:00Z"}, expect=400)
    made = admin.post("/auth/keys", {"name": "x", "role": "viewer", "expires": "2901-01-01T00:00:00Z"}, expect=201)
    assert guarded.who(headers={"X-Api-Key": made.json()["key"]}).status_code == 200


def test_bad_keys_are_not_made(guarded):
    admin = guarded.client("admin")
    for body in ({}, {"name": "x"}, {"name": "", "role": "viewer"}, {"name": "x", "role": "owner"},
                 {"name": "x", "role": "viewer", "expires": "tomorrow"}, {"name": "x", "role": "viewer", "more": 1}):
        admin.post("/auth/keys", body, expect=400)


def test_keys_survive_a_restart_and_are_not_in_the_store(serve_in, tmp_path):
    first = make_key(tmp_path / "data", "admin")
    server = serve_in(tmp_path, "--set", "auth.modes=api_key")
    made = requests.post(server.url + "/auth/keys", json={"name": "b", "role": "viewer"},
                         headers={"X-Api-Key": first}, timeout=30).json()
    server.restart()
    stored = b"".join(path.read_bytes() for path in server.data_dir.glob("store.db*"))
    for key in (first, made["key"]):
        answer = requests.get(server.url + "/auth/identity", headers={"X-Api-Key": key}, timeout=30)
        assert answer.status_code == 200
        assert key.removeprefix("rhk_").encode() not in stored


def test_the_command_line_makes_lists_and_revokes_keys(guarded):
    place = ("--server", guarded.url)
    token = {"REELHOUSE_TOKEN": guarded.keys["admin"]}
    made = run("keys", "create", "by hand", "--role", "viewer", *place, **token)
    assert made.returncode == 0, made.stderr
    key = made.stdout.strip()
    assert guarded.who(headers={"X-Api-Key": key}).json()["name"] == "by hand"
    listed = run("keys", "list", *place, **token)
    assert key not in listed.stdout
    id_ = next(line.split()[0] for line in listed.stdout.splitlines() if "by hand" in line)
    assert run("keys", "revoke", id_, *place, **token).returncode == 0
    refused(guarded.who(headers={"X-Api-Key": key}), 401)
    # Without the right, and beside a running server.
    assert run("keys", "list", *place, REELHOUSE_TOKEN=guarded.keys["viewer"]).returncode == 1
    beside = run("keys", "list", "--data-dir", guarded.data_dir)
    assert beside.returncode == 2 and "running" in beside.stderr


def test_the_command_line_sends_its_token(guarded):
    flow = guarded.client("editor").put_flow(label="with a token")
    shown = run("flows", "--from", guarded.url, REELHOUSE_TOKEN=guarded.keys["viewer"])
    assert shown.returncode == 0 and flow["id"] in shown.stdout, shown.stderr
    without = run("flows", "--from", guarded.url)
    assert without.returncode == 2 and "credential" in without.stderr


# Passwords.

def test_passwords(guarded):
    assert guarded.who(auth=("editor", PASSWORD)).json()["name"] == "editor"
    refused(guarded.who(auth=("editor", PASSWORD + "r")), 401)
    refused(guarded.who(auth=("nobody", PASSWORD)), 401)
    for text in ("", "!!!", b64(b"no colon"), "=" * 8):
        refused(guarded.who(headers={"Authorization": f"Basic {text}"}), 401)
    assert 'Basic realm="reelhouse", charset="UTF-8"' in guarded.who().headers["WWW-Authenticate"]


# Tokens.

def test_tokens_of_every_algorithm(guarded):
    for key in guarded.signers:
        answer = guarded.who(headers=bearer(key.token(sub=f"of {key.kid}", scope="openid editor")))
        assert answer.json() == {"name": f"of {key.kid}", "permissions": ["read", "write", "delete"]}
        assert guarded.who(headers=bearer(key.token(header={"kid": None}))).status_code == 200


def test_tokens_that_are_refused(guarded):
    key = guarded.signers[1]
    far = {"exp": 4_000_000_000}
    for claims in ({"iss": "https://other.test"}, {"iss": None}, {"aud": "other"}, {"aud": None}, {"exp": 1},
                   {"exp": None}, {"exp": "4000000000"}, {"nbf": 4_000_000_000}, {"sub": None}, {"sub": ""}):
        refused(guarded.who(headers=bearer(key.token(**(far | claims)))), 401)
    for header in ({"alg": "none"}, {"alg": "RS512"}, {"kid": "unknown"}, {"kid": "es256"}, {"crit": ["x"]},
                   {"b64": False}, {"alg": None}):
        refused(guarded.who(headers=bearer(key.token(header=header))), 401)


def test_attacks_on_the_algorithm(guarded):
    hmac_key, rsa_key, ec_key, ed_key = guarded.signers
    head, body, _ = rsa_key.token(scope="admin").split(".")
    refused(guarded.who(headers=bearer(f"{b64({'alg': 'none'})}.{body}.")), 401)
    refused(guarded.who(headers=bearer(f"{head}.{body}.")), 401)
    # The public key, in any form that an attacker has it, as the secret of HS256.
    confused = Key("HS256", rsa_key.kid)
    for secret in (rsa_key.pem(), rsa_key.pem().strip(), json.dumps(rsa_key.jwk()).encode(),
                   rsa_key.public()["n"].encode(), ec_key.pem(), ed_key.pem()):
        confused.secret = secret
        for kid in (rsa_key.kid, ec_key.kid, ed_key.kid, None):
            refused(guarded.who(headers=bearer(confused.token(header={"kid": kid}, scope="admin"))), 401)
    # Keys that the token brings itself.
    own = Key("RS256", rsa_key.kid)
    refused(guarded.who(headers=bearer(own.token(header={"jwk": own.jwk()}))), 401)
    refused(guarded.who(headers=bearer(own.token(header={"jku": "http://127.0.0.1:9/"}))), 401)
    # A signature of zeros, and another's signature.
    refused(guarded.who(headers=bearer(".".join([*ec_key.token().split(".")[:2], b64(bytes(64))]))), 401)
    other = ec_key.token(sub="other").split(".")[2]
    refused(guarded.who(headers=bearer(".".join([*ec_key.token().split(".")[:2], other]))), 401)
    assert guarded.who(headers=bearer(hmac_key.token())).status_code == 200


def test_a_token_in_the_url_is_for_reading(guarded):
    token = guarded.signers[3].token(scope="admin")
    answer = guarded.who(params={"access_token": token})
    assert answer.status_code == 200 and "no-store" in answer.headers["Cache-Control"]
    assert guarded.ask("HEAD", "/flows", params={"access_token": guarded.keys["viewer"]}).status_code == 200
    flow = video_flow()
    refused(guarded.ask("PUT", f"/flows/{flow['id']}", params={"access_token": token}, json=flow), 401)
    refused(guarded.who(params={"access_token": "x"}), 401)
    refused(guarded.who(params={"access_token": token}, headers=bearer(token)), 401)


def test_keys_of_the_issuer_rotate(serve):
    issuer = Issuer()
    try:
        old, new = Key("ES256", "old"), Key("ES256", "new")
        issuer.keys = [old]
        server = serve("--set", "auth.modes=jwt", "--set", f"auth.jwt_issuer={ISSUER}",
                       "--set", f"auth.jwt_keys={issuer.url}", "--set", "auth.jwt_keys_pause_s=0")

        def status(token: str) -> int:
            return requests.get(server.url + "/flows", headers=bearer(token), timeout=30).status_code

        assert issuer.requests == 1
        assert [status(old.token()), status(old.token())] == [200, 200]
        assert issuer.requests == 1, "known keys are not asked for again"
        token = old.token(sub="seen before")
        assert status(token) == 200
        issuer.keys = [new]
        assert status(new.token()) == 200, "an unknown kid asks again"
        assert issuer.requests == 2
        assert status(token) == 401, "a key that is gone verifies nothing, also not what it verified before"
        issuer.fails = True
        assert status(Key("ES256", "third").token()) == 401
        assert status(new.token(sub="another")) == 200, "the keys stay when the issuer fails"
        assert issuer.url.partition("?")[0] in server.log()
    finally:
        issuer.stop()


def test_unknown_kids_do_not_make_the_server_ask_again_and_again(serve):
    issuer = Issuer()
    try:
        issuer.keys = [Key("EdDSA", "a")]
        server = serve("--set", "auth.modes=jwt", "--set", f"auth.jwt_issuer={ISSUER}",
                       "--set", f"auth.jwt_keys={issuer.url}", "--set", "auth.jwt_keys_pause_s=3600")
        stranger = Key("EdDSA", "b")
        for _ in range(20):
            answer = requests.get(server.url + "/flows", headers=bearer(stranger.token()), timeout=30)
            assert answer.status_code == 401
        assert issuer.requests == 1
    finally:
        issuer.stop()


def test_a_server_starts_without_its_issuer_and_asks_later(serve):
    issuer = Issuer()
    try:
        key = Key("RS256", "a")
        issuer.keys, issuer.fails = [key], True
        server = serve("--set", "auth.modes=jwt", "--set", f"auth.jwt_issuer={ISSUER}",
                       "--set", f"auth.jwt_keys={issuer.url}", "--set", "auth.jwt_keys_pause_s=0")
        ask = lambda: requests.get(server.url + "/flows", headers=bearer(key.token()), timeout=30).status_code
        assert ask() == 401
        issuer.fails = False
        assert ask() == 200
    finally:
        issuer.stop()


# What an identity is for.

def test_writes_bear_the_name_of_the_writer(guarded):
    editor = guarded.client("editor")
    flow = editor.put_flow()
    assert editor.get(f"/flows/{flow['id']}").json()["created_by"] == "the editor"
    guarded.client("admin").put(f"/flows/{flow['id']}/label", "x")
    assert editor.get(f"/flows/{flow['id']}").json()["updated_by"] == "the admin"


def test_signed_urls_need_no_credential_and_others_do(guarded):
    editor = guarded.client("editor")
    flow = editor.put_flow()
    [media] = editor.allocate(flow["id"])
    put = media["put_url"]
    strip = lambda url: url.removeprefix(guarded.url)
    plain = strip(put["url"]).partition("?")[0]
    refused(guarded.ask("PUT", plain, data=b"bytes", headers=put["headers"]), 401)
    refused(guarded.ask("PUT", plain, data=b"bytes", headers=put["headers"] | {"X-Api-Key": guarded.keys["viewer"]}), 403)
    assert guarded.ask("PUT", plain + "?signature=x", data=b"bytes", headers=put["headers"]).status_code == 403
    assert raw_status(guarded.url, "PUT", plain + "?%73ignature=x") == 401
    assert guarded.ask("PUT", strip(put["url"]), data=b"bytes", headers=put["headers"]).status_code == 200
    editor.post(f"/flows/{flow['id']}/segments", segment(media["object_id"], 0), expect=201)
    [item] = editor.get(f"/flows/{flow['id']}/segments").json()
    for entry in item["get_urls"]:
        answer = guarded.ask("GET", strip(entry["url"]))
        assert answer.status_code == (200 if entry.get("presigned") else 401)
        reading = guarded.ask("GET", strip(entry["url"]), headers=None if entry.get("presigned") else
                              {"X-Api-Key": guarded.keys["viewer"]})
        assert reading.content == b"bytes" and "sandbox" in reading.headers["Content-Security-Policy"]


# Auth classes.

@pytest.fixture(scope="module")
def teams(guarded):
    """Clients of editors who are confined to classes, and one who is not."""
    admin = guarded.client("admin")

    def member(*classes: str, role: str = "editor") -> Client:
        made = admin.post("/auth/keys", {"name": "/".join(classes), "role": role, "auth_classes": list(classes)},
                          expect=201)
        client = Client(guarded.url)
        client.session.headers["X-Api-Key"] = made.json()["key"]
        return client

    return member("news"), member("sport"), guarded.client("editor")


def test_what_a_team_makes_is_theirs(teams):
    news, sport, everyone = teams
    flow = news.put_flow()
    path = f"/flows/{flow['id']}"
    assert news.get(path).json()["tags"] == {"auth_classes": ["news"]}
    assert news.get(f"/sources/{flow['source_id']}").json()["tags"] == {"auth_classes": ["news"]}
    everyone.get(path)
    absent = sport.get(f"/flows/{new_id()}", expect=404).json()
    hidden = sport.get(path, expect=404).json()
    assert absent["message"] == hidden["message"]
    for method, at, body in (("GET", path + "/segments", None), ("GET", path + "/label", None),
                             ("PUT", path + "/label", "mine"), ("DELETE", path, None), ("PUT", path, flow),
                             ("POST", path + "/storage", {"limit": 1}),
                             ("GET", f"/sources/{flow['source_id']}", None),
                             ("GET", f"/playback/flows/{flow['id']}.m3u8", None),
                             ("GET", f"/playback/sources/{flow['source_id']}.m3u8", None)):
        options = {} if body is None else {"json": body}
        assert sport.session.request(method, sport.url + at, timeout=30, **options).status_code == 404, f"{method} {at}"
    assert flow["id"] not in sport.ids("/flows") and flow["source_id"] not in sport.ids("/sources")
    assert flow["id"] in news.ids("/flows") and flow["id"] in everyone.ids("/flows")
    # Another's source takes no flows, and another's flow is in no collection.
    sport.put(f"/flows/{(other := video_flow(source_id=flow['source_id']))['id']}", other, expect=403)
    mine = sport.put_flow()
    sport.put(f"/flows/{mine['id']}/flow_collection", [{"id": flow["id"]}], expect=400)


def test_a_class_that_may_only_read(teams):
    news, sport, everyone = teams
    flow = news.put_flow()
    path = f"/flows/{flow['id']}"
    everyone.put(path + "/tags/auth_classes", ["news", "sport_ro"])
    assert flow["id"] in sport.ids("/flows")
    sport.get(path)
    sport.put(path + "/label", "mine", expect=403)
    sport.delete(path, expect=403)
    news.put(path + "/label", "ours")


def test_classes_are_given_by_those_who_have_them(teams):
    news, sport, everyone = teams
    flow = news.put_flow()
    path = f"/flows/{flow['id']}/tags/auth_classes"
    news.put(path, ["news", "sport"], expect=403)
    news.put(path, ["news", "news_ro"])
    everyone.put(path, ["news", "sport"])
    news.put(path, ["news"], expect=403)
    sport.put(path, ["news"])
    sport.get(path, expect=404)
    news.put(f"/sources/{flow['source_id']}/tags/auth_classes", "sport", expect=403)
    news.put(f"/flows/{(made := video_flow(tags={'auth_classes': 'sport'}))['id']}", made, expect=403)


def test_objects_are_reached_through_flows(teams):
    news, sport, everyone = teams
    flow, other = news.put_flow(), sport.put_flow()
    [item] = news.add_segments(flow["id"], 1)
    path = f"/objects/{item['object_id']}"
    assert news.get(path).json()["referenced_by_flows"] == [flow["id"]]
    sport.get(path, expect=404)
    sport.post(f"/flows/{other['id']}/segments", item, expect=404)
    everyone.post(f"/flows/{other['id']}/segments", item, expect=201)
    assert sport.get(path).json()["referenced_by_flows"] == [other["id"]]
    assert sorted(everyone.get(path).json()["referenced_by_flows"]) == sorted([flow["id"], other["id"]])


def test_what_is_made_beside_tams_is_theirs_too(teams):
    news, sport, everyone = teams
    source = news.post("/sources", {"format": "urn:x-nmos:format:video", "label": "own"}, expect=201).json()
    assert source["tags"] == {"auth_classes": ["news"]}
    path = f"/sources/{source['id']}"
    sport.put(path, {"label": "mine"}, expect=404)
    sport.delete(path, expect=404)
    news.put(path, {"label": "ours", "tags": {"auth_classes": ["news", "sport"]}}, expect=403)
    news.put(path, {"label": "ours", "tags": {"auth_classes": ["news"]}}, expect=200)
    news.delete(path)
    flow = news.post("/flows", video_flow(), expect=201).json()
    assert flow["tags"] == {"auth_classes": ["news"]}
    sport.post("/flows", video_flow(source_id=flow["source_id"]), expect=403)
    sport.post("/objects", {"flow_id": flow["id"]}, expect=404)
    sport.post("/objects", {}, expect=403)
    everyone.put(f"/flows/{flow['id']}/tags/auth_classes", ["news", "sport_ro"])
    sport.post("/objects", {"flow_id": flow["id"]}, expect=403)
    news.post("/objects", {"flow_id": flow["id"]}, expect=201)


def test_a_search_finds_what_the_caller_may_see(teams):
    news, sport, everyone = teams
    flow = news.put_flow(label="zeppelin")
    find = lambda client: {hit["id"] for hit in client.get("/search?q=zeppelin").json()}
    assert find(news) == find(everyone) == {flow["id"], flow["source_id"]}
    assert not find(sport)
    everyone.put(f"/flows/{flow['id']}/tags/auth_classes", ["news", "sport_ro"])
    assert find(sport) == {flow["id"]}


def test_forms_are_for_those_who_may_write(guarded, teams):
    news, sport, _ = teams
    flow, other = news.put_flow(), sport.put_flow()

    def send(headers: dict, flow_id: str, object_id: str, **more) -> int:
        document = segment(object_id, 0) | more
        return guarded.ask("POST", f"/flows/{flow_id}/segments", headers=headers,
                           files={"segment": (None, json.dumps(document)), "file": ("a.ts", b"bytes")}).status_code

    ours, theirs = ({"X-Api-Key": team.session.headers["X-Api-Key"]} for team in (news, sport))
    name = new_id()
    assert send({}, flow["id"], name) == 401
    assert send({"X-Api-Key": guarded.keys["viewer"]}, flow["id"], name) == 403
    assert send(theirs, flow["id"], name) == 404
    assert send(ours, flow["id"], name) == 201
    assert send(theirs, other["id"], name) == 404
    assert send(theirs, other["id"], new_id(), init_object_id=name) == 404
    assert send(theirs, other["id"], new_id()) == 201


def test_what_knows_no_classes_is_closed_to_those_who_have_them(guarded, teams):
    news, _, _ = teams
    paths = guarded.ask("GET", "/openapi.json").json()["paths"]
    closed = set()
    for path, item in paths.items():
        for method, operation in item.items():
            concrete = re.sub(r"\{(\w+)\}", lambda _: new_id(), path)
            body = {} if method in ("get", "head", "delete") else {"data": "?"}
            answer = news.session.request(method.upper(), guarded.url + concrete, timeout=30, **body)
            if answer.status_code == 403 and operation["x-permission"] in ("read", "write", "delete"):
                closed.add(f"{method} {path}")
            if re.search(r"\{(flowId|sourceId|objectId|playlist)\}", path) and method != "put":
                assert answer.status_code == 404, f"{method} {path} answered {answer.status_code}"
    figures = {f"{method} /analytics/{name}" for method in ("get", "head")
               for name in ("flow-usage", "storage-usage", "time-range-analysis", "catalog-summary")}
    table = "/tables/{table}"
    tables = {f"{method} {path}" for method in ("get", "head")
              for path in ("/schemas", "/tables", "/dropped-tables", table, f"{table}/columns", f"{table}/columns/{{column}}",
                           f"{table}/history", f"{table}/stats")}
    assert closed == figures | tables | {"post /service/profiles/{profileId}", "get /events", "head /events", "post /sql"}


def test_tokens_and_passwords_may_have_classes(guarded):
    token = guarded.signers[0].token(scope="viewer", auth_classes=["news"])
    assert guarded.who(headers=bearer(token)).json()["auth_classes"] == ["news"]
    flow = guarded.client("editor").put_flow()
    assert guarded.ask("GET", f"/flows/{flow['id']}", headers=bearer(token)).status_code == 404


def test_a_player_is_led_on_with_its_token(guarded):
    editor = guarded.client("editor")
    flow = editor.put_flow()
    editor.add_segments(flow["id"], 2)
    token = guarded.keys["viewer"]
    master = guarded.ask("GET", f"/playback/sources/{flow['source_id']}.m3u8?access_token={token}")
    [url] = [line for line in master.text.splitlines() if line.startswith("http")]
    media = guarded.ask("GET", url.removeprefix(guarded.url))
    assert media.status_code == 200
    [first, *_] = [line for line in media.text.splitlines() if line.startswith("http")]
    assert token not in first and "signature=" in first


# Exposure.

def test_no_server_without_credentials_on_an_address_others_can_reach(tmp_path):
    for address in ("0.0.0.0:0", "[::]:0"):
        done = run("serve", "--data-dir", tmp_path / "data", "--http", address)
        assert done.returncode == 2 and "auth.allow_anonymous" in done.stderr
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("settings, word", [
    (("auth.modes=jwt",), "auth.jwt_issuer"),
    (("auth.modes=basic",), "auth.users_file"),
    (("auth.modes=oauth",), "auth.modes"),
    (("auth.modes=basic", "auth.users_file=/nowhere"), "/nowhere"),
    (("auth.modes=jwt", "auth.jwt_issuer=x", "auth.jwt_keys=http://issuer.test/jwks"), "https"),
    (("auth.modes=jwt", "auth.jwt_issuer=x", "auth.jwt_keys=x", "auth.jwt_grants=a=owner"), "auth.jwt_grants"),
])
def test_mistakes_in_the_configuration(tmp_path, settings, word):
    flags = [flag for setting in settings for flag in ("--set", setting)]
    done = run("serve", "--data-dir", tmp_path / "data", "--http", "127.0.0.1:0", *flags)
    assert done.returncode == 2 and word in done.stderr, done.stderr


def test_requests_of_one_address_are_limited(serve):
    server = serve("--set", "limits.peer_requests_per_second=1")
    answers = [requests.get(server.url + "/flows", timeout=30) for _ in range(40)]
    slow = [answer for answer in answers if answer.status_code == 429]
    assert [answer.status_code for answer in answers[:10]] == [200] * 10 and slow
    assert int(slow[0].headers["Retry-After"]) >= 1 and slow[0].json()["type"] == "rate_limited"


def test_requests_of_one_identity_are_limited(serve_in, tmp_path):
    keys = {role: make_key(tmp_path / "data", role) for role in ("viewer", "editor")}
    server = serve_in(tmp_path, "--set", "auth.modes=api_key", "--set", "limits.identity_requests_per_second=1")
    ask = lambda role: requests.get(server.url + "/flows", headers={"X-Api-Key": keys[role]}, timeout=30).status_code
    assert {200, 429} == {ask("viewer") for _ in range(40)}
    assert ask("editor") == 200


def test_wrong_credentials_of_one_address_are_limited(serve):
    server = serve("--set", "auth.modes=api_key", "--set", "limits.auth_failures_per_second=1")
    ask = lambda: requests.get(server.url + "/flows", headers={"X-Api-Key": "guess"}, timeout=30).status_code
    assert [ask() for _ in range(10)] == [401] * 10
    assert 429 in {ask() for _ in range(30)}
    assert requests.get(server.url + "/livez", timeout=30).status_code == 200


def test_tls(serve, tmp_path):
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2",
                    "-keyout", key, "-out", certificate], check=True, capture_output=True)
    server = serve("--set", "auth.modes=api_key", "--set", f"tls.certificate={certificate}", "--set", f"tls.key={key}")
    host, port = server.address

    def connect(*flags: str) -> subprocess.CompletedProcess:
        return subprocess.run(["openssl", "s_client", "-connect", f"{host}:{port}", "-CAfile", str(certificate),
                               "-verify_return_error", "-quiet", *flags], capture_output=True, timeout=60, check=False,
                              input=b"GET /flows HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    for version in ("-tls1_2", "-tls1_3"):
        answer = connect(version, "-ign_eof").stdout
        assert answer.startswith(b"HTTP/1.1 401 "), answer
        assert b"\r\nStrict-Transport-Security: max-age=31536000\r\n" in answer
        assert b"\r\nWWW-Authenticate: Bearer" in answer
    for version in ("-tls1", "-tls1_1"):
        assert connect(version, "-cipher", "ALL:@SECLEVEL=0").returncode != 0
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(server.url, timeout=30)  # does not know the certificate


def test_security_headers(guarded):
    for path in ("/livez", "/flows", "/nowhere"):
        headers = guarded.ask("GET", path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "Strict-Transport-Security" not in headers


def test_browsers_may_send_credentials_cross_origin(guarded):
    answer = guarded.ask("OPTIONS", "/flows", headers={
        "Origin": "https://app.test", "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization, x-api-key"})
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Headers"] == "authorization, x-api-key"


def test_no_credential_is_in_the_log(guarded):
    """Last in this file: the log, at its most talkative, of everything above."""
    token = guarded.signers[0].token()
    secrets = [*guarded.keys.values(), PASSWORD, token, "wrong-password", "rhk_wrong-key",
               guarded.signers[0].secret.decode()]
    guarded.who(params={"access_token": token})
    guarded.ask("GET", "/flows?limit=x", headers={"X-Api-Key": guarded.keys["viewer"]})
    guarded.ask("GET", f"/flows?access_token={guarded.keys['viewer']}&limit=x&timerange=(&%61ccess_token={token}")
    guarded.who(headers=bearer("rhk_wrong-key"))
    guarded.who(auth=("editor", "wrong-password"))
    guarded.ask("POST", f"/flows?access_token={token}")
    # URLs with signatures, right and wrong ones, and a webhook's key that goes out and fails.
    editor = guarded.client("editor")
    flow = editor.put_flow()
    [media] = editor.allocate(flow["id"])
    editor.upload(media, b"bytes")
    editor.post(f"/flows/{flow['id']}/segments", segment(media["object_id"], 0), expect=201)
    [item] = editor.get(f"/flows/{flow['id']}/segments").json()
    urls = [media["put_url"]["url"], *(entry["url"] for entry in item["get_urls"])]
    signatures = re.findall(r"signature=([^&]+)", " ".join(urls))
    assert len(signatures) >= 2
    for url in urls:
        guarded.ask("GET", url.removeprefix(guarded.url))
        guarded.ask("POST", url.removeprefix(guarded.url))
    secrets += [*signatures, "the-webhook-key"]
    admin = guarded.client("admin")
    hook = {"url": "http://no-such-host.invalid/", "events": ["flows/created"], "api_key_name": "X-Key",
            "api_key_value": "the-webhook-key"}
    hook = admin.post("/service/webhooks", hook, expect=201).json()
    admin.post("/service/webhooks", hook | {"api_key_value": "the-webhook-key", "no": 1}, expect=400)
    editor.put_flow()
    metrics = lambda: admin.get("/metrics").text
    deadline = time.monotonic() + 30
    while not re.search(r"^reelhouse_webhook_failed_total [1-9]", metrics(), re.MULTILINE):
        assert time.monotonic() < deadline, "the delivery did not fail"
        time.sleep(0.05)
    log = guarded.server.log()
    assert "/auth/identity" in log, "the log is at debug"
    guarded.ask("GET", "/flows/" + new_id(), headers={"X-Api-Key": "x"})
    for secret in secrets:
        for form in (secret, base64.b64encode(secret.encode()).decode()):
            if secret == token:
                form = token.rpartition(".")[2]
            assert form not in log, f"{secret[:12]}… is in the log"
