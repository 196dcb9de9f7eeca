"""Fields for files."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatch
from mimetypes import guess_type
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ..images import image_type
from .base import Field, InvalidAnswer, check_count

if TYPE_CHECKING:
    from ..files import FileStore


@dataclass(eq=False, kw_only=True)
class File(Field):
    """A file, as a `pathlib.Path` to a copy of it that has the original name.

    Parameters
    ----------
    multiple
        Whether several files can be given; the value is a list then.
    accept
        What is taken: endings such as ``.pdf`` and types such as ``image/*``.
    max_size
        Most bytes that a file can have.
    """

    multiple: bool = False
    accept: Any = ()
    max_size: int | None = None
    min: int | None = None
    max: int | None = None

    kind: ClassVar[str] = "file"

    def __post_init__(self) -> None:
        if self.initial is not None:
            raise ValueError(f"{self.label!r} is a file, which can't have an initial value")
        self.accept = [self.accept] if isinstance(self.accept, str) else list(self.accept)
        super().__post_init__()

    @property
    def empty(self) -> Any:
        return [] if self.multiple else None

    def value_of(self, given: Any, files: FileStore | None) -> Any:
        if files is None:
            raise InvalidAnswer("a file can only be given as an answer")
        if not self.multiple:
            return files.receive(given)
        return [files.receive(item) for item in (given if isinstance(given, list) else [given])]

    def check_limits(self, value: Any) -> None:
        if self.multiple:
            check_count(len(value), self.min, self.max, "files")
        for file in value if self.multiple else [value]:
            self.check_file(file)

    def check_file(self, file: Path) -> None:
        """Check one file."""
        size = file.stat().st_size
        if self.max_size is not None and size > self.max_size:
            raise InvalidAnswer(f"{file.name} has {size:,} bytes; at most {self.max_size:,} are allowed")
        if self.accept and not any(_accepts(pattern, file) for pattern in self.accept):
            raise InvalidAnswer(f"{file.name} is not of a kind that is taken: {', '.join(self.accept)}")

    def state_of(self, value: Any, files: FileStore) -> Any:
        if self.is_empty(value):
            return None
        return [files.state(file) for file in value] if self.multiple else files.state(value)

    def restore(self, state: Any, files: FileStore) -> Any:
        if state is None:
            return self.empty
        if self.multiple != isinstance(state, list):
            raise InvalidAnswer("the field takes another number of files now")
        return [files.restore(item) for item in state] if self.multiple else files.restore(state)

    def parse(self, text: str) -> Any:
        words = [word.strip() for word in text.split(",")] if self.multiple else [text.strip()]
        paths = [Path(word).expanduser() for word in words if word]
        return paths if self.multiple else paths[0]

    def text_of(self, value: Any) -> str:
        if self.is_empty(value):
            return ""
        files = value if self.multiple else [value]
        return ", ".join(f"{file.name} ({file.stat().st_size:,} bytes)" for file in files)

    def shown(self) -> dict[str, Any]:
        return {**super().shown(), "several": self.multiple}


@dataclass(eq=False, kw_only=True)
class Image(File):
    """An image file, as a `pathlib.Path`."""

    kind: ClassVar[str] = "image"

    def check_file(self, file: Path) -> None:
        super().check_file(file)
        with file.open("rb") as stream:
            start = stream.read(4096)
        if image_type(start) is None:
            raise InvalidAnswer(f"{file.name} is not an image (PNG, JPEG, GIF, WebP, BMP or SVG)")


def _accepts(pattern: str, file: Path) -> bool:
    if "/" in pattern:
        return fnmatch(guess_type(file.name)[0] or "", pattern)
    return file.name.lower().endswith(pattern.lower())
