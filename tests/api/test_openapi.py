"""The served document lists exactly what the server answers, and what the specification asks for."""
import re

import pytest
from api_documents import METHODS, specification
from tams_client import Client, new_id


def fill(path: str) -> str:
    """A path with ids that do not exist."""
    return re.sub(r"\{(\w+)\}", lambda match: new_id(), path)


def test_every_operation_of_the_document_is_served(client):
    for path, item in client.own.content["paths"].items():
        for method in METHODS:
            with client.session.request(method.upper(), client.url + fill(path), timeout=30, stream=True) as response:
                pass  # the body of an event stream never ends
            offered = response.status_code != 405
            assert offered == (method in item), f"{method} {path} answered {response.status_code}"
            if not offered:
                allowed = {name.strip().lower() for name in response.headers["Allow"].split(",")} - {"options"}
                assert allowed == set(item) & set(METHODS), path


def test_every_get_has_a_head_twin(client):
    for path, item in client.own.content["paths"].items():
        assert ("get" in item) == ("head" in item), path
        if "get" in item:
            get, head = item["get"], item["head"]
            assert get.get("parameters") == head.get("parameters")
            assert set(get["responses"]) == set(head["responses"])


def test_the_document_is_well_formed(client):
    document = client.own.content
    assert document["openapi"].startswith("3.1")
    ids = [operation["operationId"] for item in document["paths"].values() for operation in item.values()]
    assert len(ids) == len(set(ids))
    references = set(re.findall(r'"\$ref": ?"([^"]*)"', client.get("/openapi.json").text))
    schemas = document["components"]["schemas"]
    assert references == {f"#/components/schemas/{name}" for name in schemas} | references
    for reference in references:
        assert reference.removeprefix("#/components/schemas/") in schemas
    for path, item in document["paths"].items():
        for operation in item.values():
            in_path = [parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "path"]
            assert in_path == re.findall(r"\{([^}]*)\}", path)
            assert operation["responses"] and operation["tags"] and operation["summary"]


def test_the_schemas_are_schemas(client):
    import jsonschema
    for schema in client.own.content["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.skipif(specification() is None, reason="no TAMS 8.2 specification")
def test_nothing_of_the_specification_is_missing(client):
    assert specification().operations() - client.own.operations() == set()


@pytest.mark.skipif(specification() is None, reason="no TAMS 8.2 specification")
def test_parameters_and_statuses_are_those_of_the_specification(client):
    spec = specification()
    for method, path in sorted(spec.operations() & client.own.operations()):
        wanted, offered = (next(item[method.lower()] for template, item in document.content["paths"].items()
                                if re.sub(r"\{[^}]*\}", "{}", template) == path) for document in (spec, client.own))

        def names(operation, document):
            found = set()
            for parameter in operation.get("parameters", []):
                if "$ref" in parameter:
                    _, parameter = document.resolver.resolve(parameter["$ref"])
                if parameter["in"] == "query":
                    found.add(parameter["name"])
            return found

        assert names(wanted, spec) <= names(offered, client.own), f"{method} {path}"
        # 202 is for what takes long; here deletes are synchronous so far.
        successes = {status for status in wanted["responses"] if status < "300"} - {"202"}
        assert successes <= set(offered["responses"]), f"{method} {path}"
        added = {status for status in offered["responses"] if status < "300"} - set(wanted["responses"])
        assert not added, f"{method} {path}"


def test_the_document_is_the_same_after_a_restart(fresh_server):
    before = Client(fresh_server.url).own.content
    fresh_server.restart()
    assert Client(fresh_server.url).own.content == before
