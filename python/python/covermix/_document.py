"""What the package's immutable objects share: copies, documents compared by their content, records read from the documents of the Rust half."""

from __future__ import annotations

import json
import os
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, Self, TypeVar

from ._errors import FileError

__all__ = ["Document", "Immutable", "Record", "exact_text", "money_text", "plain", "record", "text_of"]


class Immutable:
    """An object that is its own copy."""

    __slots__ = ()

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self


class Document(Immutable):
    """A checked JSON document, compared by its content."""

    __slots__ = ("_text",)
    _text: str

    @classmethod
    def _of(cls, text: str) -> Self:
        document = cls.__new__(cls)
        document._text = text
        return document

    @classmethod
    def _checked(cls, text: str) -> str:
        """The document as the library writes it, or its error."""
        return text

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The same from its JSON text. Raises :class:`InputError`."""
        return cls._of(cls._checked(text))

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """The same from its document."""
        return cls.from_json(json.dumps(plain(document)))

    def to_json(self) -> str:
        """The document as JSON text."""
        return self._text

    def to_dict(self) -> dict[str, Any]:
        """The document."""
        return json.loads(self._text)

    def __eq__(self, other: object) -> bool:
        return self._text == other._text if isinstance(other, Document) and type(other) is type(self) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self._text)


def _restore(kind: type[Document], text: str) -> Document:
    return kind._of(text)


class Record(Immutable):
    """A frozen dataclass that the documents of the Rust half hold: decimals as text, instants in ISO 8601, enums by their values."""

    __slots__ = ()

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """The record as JSON holds it."""
        return record(cls, document)

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON holds it."""
        return {one.name: plain(getattr(self, one.name)) for one in fields(self)}  # type: ignore[arg-type]


Kind = TypeVar("Kind", bound=Record)


def record(kind: type[Kind], document: Mapping[str, Any]) -> Kind:
    """A record from its document, by the types of its fields."""
    return kind(**{name: read(document[name]) for name, read in _readers(kind).items() if name in document})


@cache
def _readers(kind: type[Record]) -> dict[str, Callable[[Any], Any]]:
    hints = typing.get_type_hints(kind)
    return {one.name: _reader(hints[one.name]) for one in fields(kind)}  # type: ignore[arg-type]


def _reader(hint: Any) -> Callable[[Any], Any]:
    """What turns a JSON value into one of this type."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        inner = _reader(next(one for one in arguments if one is not type(None)))
        return lambda value: None if value is None else inner(value)
    if origin is tuple:
        parts = [_reader(one) for one in arguments if one is not Ellipsis]
        if Ellipsis in arguments:
            return lambda values: tuple(parts[0](value) for value in values)
        return lambda values: tuple(part(value) for part, value in zip(parts, values, strict=True))
    if origin is frozenset:
        inner = _reader(arguments[0])
        return lambda values: frozenset(inner(value) for value in values)
    if not isinstance(hint, type):
        return lambda value: value
    if issubclass(hint, Record):
        return hint.from_dict
    if issubclass(hint, datetime):
        return lambda text: datetime.fromisoformat(text).astimezone(UTC)
    if issubclass(hint, date):
        return date.fromisoformat
    if issubclass(hint, (Decimal, Enum)):
        return lambda value: hint(value)
    return lambda value: value


def plain(value: Any) -> Any:
    """A value as the library's documents hold it."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, (Document, Record)):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(map(plain, value))
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


def exact_text(text: str) -> str:
    """A JSON text whose numbers with a fraction are texts: the Rust half reads those to the last digit."""
    return json.dumps(json.loads(text, parse_float=str))


def money_text(value: Any) -> Any:
    """Money as text: ``Decimal``, int and text as they are, float by its shortest digits."""
    return None if value is None else (str(value) if isinstance(value, (Decimal, int, str)) else repr(value))


def text_of(path: str | os.PathLike[str]) -> str:
    """The text of a file, or this package's error."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        remedy = "check that the path exists and may be read"
        raise FileError(f"{path}: cannot be read ({error.strerror}); {remedy}", file=Path(path), remedy=remedy) from error
