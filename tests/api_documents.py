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

    def operation(self, method: str, path: str) -> dict | None:
        for pattern, template in self.templates:
            if pattern.fullmatch(path):
                return self.content["paths"][template].get(method.lower())
        return None

    def answer(self, operation: dict, status: int) -> dict | None:
        answer = operation["responses"].get(str(status))
        if answer and "$ref" in answer:
            _, answer = self.resolver.resolve(answer["$ref"])
        return answer

    def schema(self, answer: dict) -> dict | None:
        return answer.get("content", {}).get("application/json", {}).get("schema")

    def check(self, schema: dict, body) -> None:
        with self.lock:
            errors = list(jsonschema.Draft202012Validator(schema, resolver=self.resolver).iter_errors(body))
        if errors:
            error = jsonschema.exceptions.best_match(errors)
            raise AssertionError(f"the answer breaks the schema at {error.json_path}: {error.message}\n"
                                 f"{json.dumps(body, indent=1)[:4000]}")


@lru_cache
def specification(version: str = "8.2") -> Document | None:
    folder = specification_folder(version)
    if folder is None:
        return None
    file = folder / "TimeAddressableMediaStore.yaml"
    return Document(yaml.safe_load(file.read_text()), file.as_uri())
