"""Which metrics and labels a PromQL expression names. Enough of the grammar for that; promtool checks the rest."""
import re

KEYWORDS = {"and", "or", "unless", "by", "without", "on", "ignoring", "group_left", "group_right", "bool", "offset"}
STRING = re.compile(r'"(?:\\.|[^"\\])*"')
DURATION = re.compile(r"\[[^\]]*\]")
MATCHERS = re.compile(r"\{([^}]*)\}")
LABEL_LIST = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
NAME = re.compile(r"(?<![\w.$])([a-zA-Z_:][\w:]*)\b(?!\s*\()")


def names(expression: str) -> tuple[set[str], set[str]]:
    """Metrics, and labels that are matched or grouped by."""
    text = DURATION.sub(" ", STRING.sub('""', expression))
    labels = set()
    for matchers in MATCHERS.findall(text):
        labels |= set(re.findall(r"(\w+)\s*[=!]", matchers))
    text = MATCHERS.sub(" ", text)
    for group in LABEL_LIST.findall(text):
        labels |= set(re.findall(r"\w+", group))
    text = LABEL_LIST.sub(" ", text)
    return set(NAME.findall(text)) - KEYWORDS, labels


def matched(expression: str, label: str) -> list[tuple[str, str]]:
    """Operator and text of every matcher of a label."""
    return re.findall(rf'\b{label}\s*(=~|!~|!=|=)\s*"([^"]*)"', expression)
