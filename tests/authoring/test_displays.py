from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_workflows.authoring.forms import displays
from jupyter_workflows.authoring.forms.rendition import renditions
from jupyter_workflows.authoring.forms.sanitising import sanitise
from jupyter_workflows.forms import Page, display, display_dataframe, display_html, display_link

PNG = b"\x89PNG\r\n\x1a\n" + bytes(16)


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What was put into the notebook's output."""
    outputs: list[dict[str, Any]] = []
    for module in ("displays", "rendition", "reading"):
        target = f"jupyter_workflows.authoring.forms.{module}"
        name = f"{target}.displays.publish" if module == "reading" else f"{target}.publish"
        monkeypatch.setattr(name, outputs.append)
    return outputs


def test_content_goes_by_its_type(tmp_path: Path) -> None:
    figure = pytest.importorskip("matplotlib.figure").Figure()
    figure.subplots().plot([1, 2])
    (tmp_path / "a.png").write_bytes(PNG)
    cases: list[tuple[Any, str, str]] = [
        ("# *Hello*", "text/markdown", "# *Hello*"),
        (pd.DataFrame({"<a>": ["<script>"]}), "text/html", "&lt;script&gt;"),
        (pl.DataFrame({"a": ["<script>"]}), "text/html", "&lt;script&gt;"),
        (pa.table({"a": [7]}), "text/html", "7"),
        (PNG, "text/html", "data:image/png;base64,"),
        (tmp_path / "a.png", "text/html", "data:image/png;base64,"),
        (figure, "text/html", "data:image/png;base64,"),
        (5, "text/html", "5"),
    ]
    for content, mime, words in cases:
        assert words in displays.render(content).data[mime], content
        assert displays.render(content).data["text/plain"]


def test_the_same_content_is_shown_as_the_same() -> None:
    figures = []
    for _ in range(2):
        figure = pytest.importorskip("matplotlib.figure").Figure()
        figure.subplots().plot([1, 2])
        figures.append(displays.render(figure).shown())
    assert figures[0] == figures[1]
    frame = pd.DataFrame({"a": range(1000)})
    assert displays.render(frame).shown() == displays.render(frame.copy()).shown()
    assert displays.render("a").shown() != displays.render("b").shown()


def test_long_tables_are_cut(run: Any, published: list[dict[str, Any]]) -> None:
    display_dataframe(pd.DataFrame({"a": range(1000)}), rows=4, index=False)
    assert published[0]["text/html"].count("<tr") < 8


def test_standing_alone_nobody_has_to_confirm(run: Any, published: list[dict[str, Any]]) -> None:
    run.begin()
    display("*Hello*")
    display_html("<b onclick='x()'>Hi</b><script>alert(1)</script>")
    display_link("https://example.org/?a=1&b=2", "<there>")
    assert published[0]["text/markdown"] == "*Hello*"
    assert published[1]["text/html"] == "<b>Hi</b>"
    assert 'href="https://example.org/?a=1&amp;b=2"' in published[2]["text/html"]
    assert "&lt;there&gt;" in published[2]["text/html"]
    assert run.record()["asked"] == []


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "JavaScript:x", "file:///etc/passwd"]
)
def test_links_lead_to_the_web(url: str) -> None:
    with pytest.raises(ValueError, match="not a web"):
        display_link(url)


def test_what_is_no_image_is_refused() -> None:
    with pytest.raises(ValueError, match="not an image"):
        displays.render(b"text")
    with pytest.raises(TypeError, match="int"):
        displays.render_image(5)


@pytest.mark.parametrize(
    ("markup", "clean"),
    [
        ("<p>a<br>b</p>", "<p>a<br>b</p>"),
        ("<script>alert(1)</script>x", "x"),
        ("<SCRIPT SRC=//evil></SCRIPT>x", "x"),
        ("<style>*{}</style><iframe src=x>y</iframe>z", "z"),
        ("<svg><script>x</script></svg>z", "z"),
        ("<svg/onload=alert(1)>z", ""),
        ("<img src=x onerror=alert(1)>", "<img>"),
        (
            '<img src="data:image/png;base64,AA==" alt="a&quot;b">',
            '<img src="data:image/png;base64,AA==" alt="a&quot;b">',
        ),
        ("<img src='data:image/svg+xml;base64,AA=='>", "<img>"),
        ("<img src='https://tracker.example/x.png'>", "<img>"),
        ("<a href='javascript:alert(1)'>x</a>", '<a target="_blank" rel="noopener noreferrer">x</a>'),
        ("<a href='java\tscript:alert(1)'>x</a>", '<a target="_blank" rel="noopener noreferrer">x</a>'),
        ("<a href='&#106;avascript:alert(1)'>x</a>", '<a target="_blank" rel="noopener noreferrer">x</a>'),
        ("<div style='position:fixed' class='jp-Button' id='x'>y</div>", "<div>y</div>"),
        ("<form action=x><input name=a><button>y</button></form>", "y"),
        ("</div></p>text", "text"),
        ("<b><i>x</b>", "<b><i>x</i></b>"),
        ("<ul><li>x", "<ul><li>x</li></ul>"),
        ("<!-- <b> --><b>x</b>", "<b>x</b>"),
        ("a < b & c &lt;script&gt;", "a &lt; b &amp; c &lt;script&gt;"),
        ("<script>never closed", ""),
        ("<<script>script>alert(1)<</script>/script>", "&lt;script&gt;alert(1)"),
    ],
)
def test_html_is_made_harmless(markup: str, clean: str) -> None:
    result = sanitise(markup)
    assert "<script" not in result.lower()
    if "<<" not in markup:
        assert result == clean
    assert sanitise(result) == result


@given(st.text(alphabet="<>/='\"!-& abscriptonlimg\n", max_size=80))
def test_no_script_and_no_handler_survives(markup: str) -> None:
    clean = sanitise(markup)
    assert "<script" not in clean.lower()
    assert sanitise(clean) == clean


def test_the_executed_notebook_shows_the_filled_form(run: Any, published: list[dict[str, Any]]) -> None:
    (run.project / "a.pdf").write_bytes(b"%PDF")
    run.begin(
        answers={
            "<Who>": "<b>Anna</b>",
            "Password": "hunter2",
            "Amount": "1234.5",
            "Scan": "a.pdf",
            "Day": "2026-01-02",
        }
    )
    (
        Page("Expense & more")
        .read("<Who>", hint="<first> name")
        .read_password("Password")
        .display("**Mind** the receipt")
        .read_currency("Amount", currency="EUR")
        .read_file("Scan")
        .read_date("Day")
        .read("Note", required=False)
        .run()
    )
    assert [next(iter(output)) for output in published] == [
        "text/html",
        "text/html",
        "text/markdown",
        "text/html",
        "text/html",
    ]
    markup = "".join(output.get("text/html", "") for output in published)
    text = "\n".join(output["text/plain"] for output in published)
    assert "<h3>Expense &amp; more</h3>" in markup
    assert "&lt;Who&gt;" in markup
    assert "&lt;first&gt; name" in markup
    assert "&lt;b&gt;Anna&lt;/b&gt;" in markup
    assert "hunter2" not in markup + text
    assert "••••••••" in markup
    for words in (
        "Amount: 1,234.50 EUR",
        "Scan: a.pdf (4 bytes)",
        "Day: 2026-01-02",
        "Note: —",
        "→ Submit (answered)",
    ):
        assert words in text
    published.clear()
    run.begin()
    with pytest.raises(BaseException, match="Waits"):
        Page("Other").read("What").run()
    text = "\n".join(output["text/plain"] for output in published)
    assert "was 'Expense & more' and is 'Other' now" in text
    assert "What: —" in text
    assert "→ waits for an answer" in text


def test_renditions_do_not_repeat_what_was_displayed(run: Any) -> None:
    from jupyter_workflows.authoring.forms.files import FileStore
    from jupyter_workflows.authoring.forms.presenter import OpenPage

    attempt = run.begin()
    page = Page("P").display("x").read("A")
    opened = OpenPage("P", page.items, ["Submit"], [], 0, FileStore(attempt.blobs, None), displayed=True)
    assert all("text/markdown" not in output for output in renditions(opened, None, "open"))
