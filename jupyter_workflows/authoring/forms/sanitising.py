"""HTML without what could run, reach out, or change the page around it."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

_VOID = frozenset({"br", "hr", "img", "col", "wbr"})
_TEXT = {
    "a",
    "abbr",
    "b",
    "br",
    "cite",
    "code",
    "del",
    "dfn",
    "em",
    "i",
    "ins",
    "kbd",
    "mark",
    "q",
    "s",
    "samp",
}
_TEXT |= {"small", "span", "strong", "sub", "sup", "u", "var", "wbr"}
_BLOCKS = {
    "blockquote",
    "caption",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "figcaption",
    "figure",
    "h1",
    "h2",
    "h3",
}
_BLOCKS |= {"h4", "h5", "h6", "hr", "img", "li", "ol", "p", "pre", "section", "summary", "ul"}
_TABLES = {"col", "colgroup", "table", "tbody", "td", "tfoot", "th", "thead", "tr"}
_TAGS = frozenset(_TEXT | _BLOCKS | _TABLES)
#: Elements whose content is dropped with them.
_SILENT = frozenset(
    {"script", "style", "iframe", "object", "embed", "template", "noscript", "svg", "math", "head", "title"}
    | {
        "textarea",
        "select",
        "audio",
        "video",
        "canvas",
        "frameset",
        "noembed",
        "noframes",
        "xmp",
        "plaintext",
    }
)
_ATTRIBUTES = frozenset(
    {
        "align",
        "alt",
        "colspan",
        "dir",
        "headers",
        "height",
        "href",
        "lang",
        "open",
        "rowspan",
        "scope",
        "span",
    }
    | {"src", "start", "title", "valign", "width"}
)
_LINK = re.compile(r"https?:|mailto:|[^:/?#]*([/?#]|$)", re.IGNORECASE)
_IMAGE = re.compile(r"data:image/(png|jpeg|gif|webp|bmp);base64,[A-Za-z0-9+/=\s]*", re.IGNORECASE)


def sanitise(markup: str) -> str:
    """Return HTML that has only harmless elements and attributes, each opened and closed properly."""
    cleaner = _Cleaner()
    cleaner.feed(markup)
    cleaner.close()
    return cleaner.result()


class _Cleaner(HTMLParser):
    """Writes anew what it lets through, so that nothing is passed on as it came."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._open: list[str] = []
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT or self._silent:
            if tag in _SILENT:
                self._silent.append(tag)
            return
        if tag not in _TAGS:
            return
        self._parts.append(f"<{tag}{_attributes(tag, attrs)}>")
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            return
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._silent:
            if tag in self._silent:
                while self._silent.pop() != tag:
                    pass
            return
        if tag in self._open:
            while (last := self._open.pop()) != tag:
                self._parts.append(f"</{last}>")
            self._parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._parts.append(html.escape(data, quote=False))

    def result(self) -> str:
        """Return what was let through, with everything closed."""
        return "".join([*self._parts, *(f"</{tag}>" for tag in reversed(self._open))])


def _attributes(tag: str, attrs: list[tuple[str, str | None]]) -> str:
    kept = []
    for name, value in attrs:
        text = (value or "").strip()
        if name not in _ATTRIBUTES:
            continue
        if name == "href" and (tag != "a" or not _LINK.match(_without_controls(text))):
            continue
        # Remote images would tell their server who looks at the form, and when.
        if name == "src" and (tag != "img" or not _IMAGE.fullmatch(text)):
            continue
        kept.append(f' {name}="{html.escape(text, quote=True)}"')
    if tag == "a":
        kept.append(' target="_blank" rel="noopener noreferrer"')
    return "".join(kept)


def _without_controls(text: str) -> str:
    # Browsers ignore these inside a scheme: "java\tscript:".
    return re.sub(r"[\x00-\x20]", "", text)
