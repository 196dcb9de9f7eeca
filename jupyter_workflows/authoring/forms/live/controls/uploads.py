"""Controls for files."""

from __future__ import annotations

import base64
from typing import Any

import ipywidgets as widgets

from ...files import FileStore
from .base import Control, css


class FileControl(Control):
    """A button that asks for a file. Files that were given before are named beside it."""

    labelled = False

    def make(self) -> widgets.Widget:
        many = self.field.multiple
        self._upload = widgets.FileUpload(
            accept=",".join(self.field.accept) or ("image/*" if self.field.kind == "image" else ""),
            multiple=many,
            description="Choose files" if many else "Choose a file",
            disabled=self.field.disabled,
        )
        self._given = widgets.HTML()
        self._earlier: Any = self.field.empty
        self._upload.observe(lambda _: self._name(), ["value"])
        box = widgets.HBox([self._upload, self._given])
        box.add_class(css("upload"))
        return box

    def read(self, files: FileStore) -> Any:
        if not self._upload.value:
            return self._earlier
        given = [
            {"name": one["name"], "content": base64.b64encode(one["content"]).decode()}
            for one in self._upload.value
        ]
        return self.field.value_of(given if self.field.multiple else given[0], files)

    def show(self, value: Any, files: FileStore) -> None:
        self._earlier = value
        self._name()

    def inputs(self) -> Any:
        yield self._upload, ("value", "error")

    def _name(self) -> None:
        import html

        if self._upload.value:
            names = [f"{one['name']} ({one['size']:,} bytes)" for one in self._upload.value]
        else:
            earlier = self._earlier if isinstance(self._earlier, list) else [self._earlier]
            names = [file.name for file in earlier if file is not None]
        self._given.value = ", ".join(map(html.escape, names))
