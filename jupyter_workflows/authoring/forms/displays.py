"""What a form shows: text, tables, images, plots. Rendered at once, so that it is what was meant then."""

from __future__ import annotations

import base64
import html
import io
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .images import image_type
from .sanitising import sanitise

#: Rows of a table that are shown.
ROWS = 100


@dataclass(frozen=True, slots=True)
class Display:
    """Something shown on a page.

    Parameters
    ----------
    data
        The content by MIME type, as a notebook's outputs have it.
    volatile
        Whether it may differ when the notebook is executed again without making the page another one.
    """

    data: dict[str, Any]
    volatile: bool = False

    def shown(self) -> Any:
        """Return what an answer to the page depends on."""
        if self.volatile:
            return {"kind": "volatile"}
        # The text form of objects often has memory addresses; it counts only where there is nothing else.
        rich = {mime: content for mime, content in self.data.items() if mime != "text/plain"}
        return {"kind": "display", "data": rich or self.data}


def render(content: object, *, volatile: bool = False) -> Display:
    """Render what `display` was given: a string is Markdown, the rest goes by its type."""
    if isinstance(content, Display):
        return content
    if isinstance(content, str):
        return render_markdown(content, volatile=volatile)
    if isinstance(content, bytes | bytearray | Path):
        return render_image(content, volatile=volatile)
    if hasattr(content, "savefig"):
        return render_plot(content, volatile=volatile)
    module, name = type(content).__module__.partition(".")[0], type(content).__name__
    if (module, name) in {("pandas", "DataFrame"), ("polars", "DataFrame"), ("pyarrow", "Table")}:
        return render_dataframe(content, volatile=volatile)
    return _render_object(content, volatile)


def render_text(text: str, *, volatile: bool = False) -> Display:
    """Render plain text; nothing in it means anything."""
    markup = f"<div style='white-space: pre-wrap'>{html.escape(str(text))}</div>"
    return Display({"text/html": markup, "text/plain": str(text)}, volatile)


def render_markdown(text: str, *, volatile: bool = False) -> Display:
    """Render Markdown."""
    return Display({"text/markdown": text, "text/plain": text}, volatile)


def render_html(markup: str, *, volatile: bool = False) -> Display:
    """Render HTML without what could run or reach beyond it: scripts, styles, frames, forms."""
    clean = sanitise(markup)
    return Display({"text/html": clean, "text/plain": clean}, volatile)


def render_link(url: str, text: str = "", *, volatile: bool = False) -> Display:
    """Render a link."""
    if urlsplit(url).scheme.lower() not in ("http", "https", "mailto", ""):
        raise ValueError(f"{url!r} is not a web or e-mail address")
    markup = (
        f'<a href="{html.escape(url, quote=True)}" target="_blank" rel="noopener noreferrer">'
        f"{html.escape(text or url)}</a>"
    )
    return Display({"text/html": markup, "text/plain": f"{text} <{url}>" if text else url}, volatile)


def render_image(image: object, subtitle: str = "", *, volatile: bool = False) -> Display:
    """Render an image: bytes, a path to a file, or an object such as PIL's images."""
    if isinstance(image, str | Path):
        image = Path(image).read_bytes()
    if not isinstance(image, bytes | bytearray):
        png = getattr(image, "_repr_png_", None)
        content = png() if png else None
        if not isinstance(content, bytes):
            raise TypeError(f"display_image takes bytes, a path or an image, not {type(image).__name__}")
        image = content
    content = bytes(image)
    kind = image_type(content)
    if kind is None:
        raise ValueError("these bytes are not an image (PNG, JPEG, GIF, WebP, BMP or SVG)")
    # As a data URL an SVG image can't run anything.
    source = f"data:{kind};base64,{base64.b64encode(content).decode()}"
    caption = f"<figcaption>{html.escape(subtitle)}</figcaption>" if subtitle else ""
    markup = f'<figure><img src="{source}" alt="{html.escape(subtitle, quote=True)}">{caption}</figure>'
    return Display({"text/html": markup, "text/plain": subtitle or "<image>"}, volatile)


def render_plot(figure: Any, *, volatile: bool = False) -> Display:
    """Render a matplotlib figure (or one with the same `savefig`) as an image."""
    buffer = io.BytesIO()
    # Without the name of the software, so that the same figure is the same bytes.
    figure.savefig(buffer, format="png", bbox_inches="tight", metadata={"Software": None})
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close(figure)  # else the notebook shows it once more at the end of the cell
    return render_image(buffer.getvalue(), volatile=volatile)


def render_dataframe(frame: Any, *, index: bool = True, rows: int = ROWS, volatile: bool = False) -> Display:
    """Render a data frame (pandas, polars) or an Arrow table: its first and last rows."""
    module = type(frame).__module__.partition(".")[0]
    if module == "pyarrow":
        frame = frame.slice(0, rows).to_pandas()
        module, index = "pandas", False
    if module == "polars":
        import polars

        with polars.Config(tbl_rows=rows, tbl_cols=-1, fmt_str_lengths=200):
            return Display({"text/html": sanitise(frame._repr_html_()), "text/plain": str(frame)}, volatile)
    markup = frame.to_html(max_rows=rows, index=index, border=0)
    return Display({"text/html": markup, "text/plain": frame.to_string(max_rows=rows, index=index)}, volatile)


def _render_object(content: object, volatile: bool) -> Display:
    formatter = getattr(_shell(), "display_formatter", None)
    if formatter is None:
        return render_text(str(content), volatile=volatile)
    data, _ = formatter.format(content)
    if "application/vnd.jupyter.widget-view+json" in data:
        raise TypeError(
            f"a page can't show a widget ({type(content).__name__}); show what it stands for, or a field"
        )
    if set(data) == {"text/plain"}:
        return render_text(str(content), volatile=volatile)
    if "text/html" in data:
        data["text/html"] = sanitise(data["text/html"])
    return Display({mime: _as_text(part) for mime, part in data.items()}, volatile)


def _as_text(part: Any) -> Any:
    return base64.b64encode(part).decode() if isinstance(part, bytes) else part


def _shell() -> Any:
    get_ipython = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return get_ipython() if get_ipython else None


def publish(data: dict[str, Any], *, display_id: str | None = None, update: bool = False) -> None:
    """Put content into the notebook's output, or print its text outside of a notebook.

    Parameters
    ----------
    display_id
        A name for the output.
    update
        Take the place of the output that has this name.
    """
    if _shell() is None:
        print(data.get("text/plain", ""))
        return
    from IPython.display import publish_display_data

    transient = {"display_id": display_id} if display_id is not None else None
    publish_display_data(data, transient=transient, update=update)  # type: ignore[no-untyped-call]
