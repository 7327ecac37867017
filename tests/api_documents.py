"""OpenAPI documents as judges of answers: the TAMS specification, and the document that the server itself serves."""
import json
import os
import re
import threading
import warnings
from functools import lru_cache
from pathlib import Path

import jsonschema
import yaml

METHODS = ("get", "head", "post", "put", "patch", "delete")


def specification_folder(version: str = "8.2") -> Path | None:
    """The folder of a version of TAMS, None when it is not at hand."""
    root = Path(__file__).resolve().parent.parent
    places = [os.environ.get("REELHOUSE_SPEC"), root.parent / "shared" / "spec"]
    for place in filter(None, places):
        folder = Path(place) / f"tams-{version}" / "api"
        if (folder / "TimeAddressableMediaStore.yaml").is_file():
            return folder
    return None


class Document:
    """One OpenAPI 3.1 document."""

    def __init__(self, content: dict, base_uri: str = ""):
        self.content = content
        with warnings.catch_warnings():
            # Newer releases prefer another library, which Debian 12 does not have.
            warnings.simplefilter("ignore", DeprecationWarning)
            self.resolver = jsonschema.RefResolver(base_uri, content)
        self.lock = threading.Lock()  # a resolver is for one thread at a time
        self.exercised: set[tuple[str, str, str, str]] = set()  # METHOD, template, status, header or ""
        self.templates = [(self.pattern(path), path) for path in content["paths"]]
        # Literal segments go before parameters.
        self.templates.sort(key=lambda entry: entry[1].count("{"))

    @staticmethod
    def pattern(path: str) -> re.Pattern:
        parts = [r"[^/]+" if part.startswith("{") else re.escape(part) for part in path.split("/")]
        return re.compile("/".join(parts))

    def operations(self) -> set[tuple[str, str]]:
        """(METHOD, path with nameless parameters)."""
        return {(method.upper(), re.sub(r"\{[^}]*\}", "{}", path))
                for path, item in self.content["paths"].items() if isinstance(item, dict)
                for method in item if method in METHODS}

    def template(self, path: str) -> str | None:
        return next((template for pattern, template in self.templates if pattern.fullmatch(path)), None)

    def operation(self, method: str, path: str) -> dict | None:
        template = self.template(path)
        return None if template is None else self.content["paths"][template].get(method.lower())

    def resolved(self, node: dict) -> dict:
        return self.resolver.resolve(node["$ref"])[1] if "$ref" in node else node

    def answer(self, operation: dict, status: int) -> dict | None:
        answer = operation["responses"].get(str(status))
        return answer and self.resolved(answer)

    def answers(self) -> set[tuple[str, str, str, str]]:
        """All that `exercised` may come to hold."""
        found = set()
        for path, item in self.content["paths"].items():
            for method in METHODS:
                for status, answer in item.get(method, {}).get("responses", {}).items():
                    found.add((method.upper(), path, status, ""))
                    for header in self.resolved(answer).get("headers", {}):
                        found.add((method.upper(), path, status, header))
        return found

    def record(self, method: str, path: str, answer: dict, status: int, headers) -> None:
        """Checks the headers of an answer, and remembers that it was seen."""
        template = self.template(path)
        self.exercised.add((method, template, str(status), ""))
        for name, declared in answer.get("headers", {}).items():
            if name not in headers:
                continue
            self.check_header(name, self.resolved(declared).get("schema", {}), headers[name])
            self.exercised.add((method, template, str(status), name))

    def check_header(self, name: str, schema: dict, text: str) -> None:
        schema = self.resolved(schema)
        kind = schema.get("type")
        if kind in ("integer", "boolean"):
            value = json.loads(text)
        else:
            value = text
        self.check(schema, value)

    def schema(self, answer: dict) -> dict | None:
        return answer.get("content", {}).get("application/json", {}).get("schema")

    def check(self, schema: dict, body) -> None:
        with self.lock:
            errors = list(jsonschema.Draft202012Validator(schema, resolver=self.resolver).iter_errors(body))
        if errors:
            error = jsonschema.exceptions.best_match(errors)
            raise AssertionError(f"the answer breaks the schema at {error.json_path}: {error.message}\n"
                                 f"{json.dumps(body, indent=1)[:4000]}")


def specification(version: str = "8.2") -> Document | None:
    return read_specification(version)


@lru_cache
def read_specification(version: str) -> Document | None:
    """One for all: it counts what is exercised."""
    folder = specification_folder(version)
    if folder is None:
        return None
    file = folder / "TimeAddressableMediaStore.yaml"
    return Document(yaml.safe_load(file.read_text()), file.as_uri())
