"""The media that ./dev run shows on a machine that has none."""


def ensure_demo_media(base_url: str) -> None:
    """Ingests the demo media into the server at base_url unless it is there already."""
