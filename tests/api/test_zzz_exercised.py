"""Counts which operations, answers and headers of TAMS 8.2 the other tests of this folder have seen; each was held against
its schema when it came (tams_client.py). Runs last (conftest.py)."""
from pathlib import Path

import pytest
from api_documents import specification

# What no test sees, and why.
NOT_EXERCISED = {f"{method} /service/webhooks{one} 404": "webhooks are supported"
                 for method, one in (("GET", ""), ("HEAD", ""), ("POST", ""))}


def test_every_answer_of_the_specification_is_exercised(request):
    spec = specification()
    if spec is None:
        pytest.skip("no TAMS 8.2 specification")
    files = {item.path.name for item in request.session.items if item.path.parent == Path(__file__).parent}
    whole = files == {file.name for file in Path(__file__).parent.glob("test_*.py")}
    if not whole or request.config.option.keyword:
        pytest.skip("counts only when all tests of this folder run")
    wanted = spec.answers()
    seen = spec.exercised & wanted

    def count(what, key) -> str:
        return f"{len({key(entry) for entry in seen if what(entry)})} of {len({key(entry) for entry in wanted if what(entry)})}"

    print(f"TAMS 8.2: {count(lambda entry: True, lambda entry: entry[:2])} operations, "
          f"{count(lambda entry: not entry[3], lambda entry: entry)} answers, "
          f"{count(lambda entry: entry[3], lambda entry: entry)} headers")
    missing = {" ".join(entry).strip() for entry in wanted - seen}
    assert sorted(missing - NOT_EXERCISED.keys()) == []
    assert NOT_EXERCISED.keys() <= missing, "what has become outdated"
