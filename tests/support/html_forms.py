"""The one form of an HTML page, as a browser reads it."""

from __future__ import annotations

from html.parser import HTMLParser


class Form(HTMLParser):
    """Where it goes, how, and with which fields."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = self.method = ""
        self.fields: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take up what is of a form."""
        found = dict(attrs)
        if tag == "form":
            self.action, self.method = found["action"] or "", found["method"] or ""
        if tag == "input":
            self.fields[found["name"] or ""] = found["value"] or ""
