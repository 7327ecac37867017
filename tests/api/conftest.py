"""What the tests exercise is counted when they have run."""


def pytest_collection_modifyitems(items) -> None:
    items.sort(key=lambda item: item.path.name == "test_zzz_exercised.py")
