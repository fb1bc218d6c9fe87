"""Gates as files: TOML to be edited by people, JSON for programs, with errors that name the rule they are in."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from unmuffle.errors import AudioFileError, InvalidParameterError
from unmuffle.measure.assurance.rules import Rule, Threshold
from unmuffle.signal.files.new_file import new_file
from unmuffle.toml import parse_toml

_GATE_FIELDS = ("on", "least_share", "rules")
_THRESHOLD_FIELDS = ("measure", "of", "minimum", "maximum")
_RULE_FIELDS = ("name", "severity", "required", "on")
_HEAD = """\
# The thresholds of a quality gate, for: unmuffle qa --gate THIS_FILE
# on:          judge the "mean" over all clips, or how many "clips" keep a rule; a rule may have its own.
# least_share: the share of the clips that has to keep a rule judged on clips.
# A rule holds a measure, "of" its "value", its "gain" or what it was "before", a minimum, a maximum or both; or, under
# "any", several of which one has to hold. severity = "warn" tells only; required = true fails a clip on which it
# cannot be judged.
"""


def read(path: str | os.PathLike[str]) -> tuple[tuple[Rule, ...], dict[str, Any]]:
    """Return the rules and the other fields of a gate; errors name the file and the rule."""
    name = str(path)
    try:
        text = Path(path).read_text("utf-8")
    except OSError as error:
        raise AudioFileError(f"{name} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise InvalidParameterError(f"{name} is no text in UTF-8: {error.reason} at byte {error.start}") from error
    with named(path):
        if not text.strip():
            raise InvalidParameterError("it is empty; unmuffle qa --write-gate FILE writes one to start from")
        data = _parsed(text, _suffix(path))
        _check_fields("a gate", data, _GATE_FIELDS)
        rules = _list_of_tables("rules", data.pop("rules", []))
        return tuple(_numbered_rule(number, rule) for number, rule in enumerate(rules, start=1)), data


def write(path: str | os.PathLike[str], rules: Sequence[Rule], options: Mapping[str, Any]) -> None:
    """Write rules and other fields, whole or not at all; a file that is there is replaced."""
    tables = [_as_table(rule) for rule in rules]
    with named(path):
        is_json = _suffix(path) == ".json"
    text = json.dumps({**options, "rules": tables}, indent=2, ensure_ascii=False) if is_json else _toml(tables, options)
    with new_file(path) as file:
        file.write(text.rstrip("\n").encode() + b"\n")


@contextlib.contextmanager
def named(path: str | os.PathLike[str]) -> Iterator[None]:
    """Put the name of the file before what is wrong in it."""
    try:
        yield
    except InvalidParameterError as error:
        raise InvalidParameterError(f"{path}: {error}") from error


def _suffix(path: str | os.PathLike[str]) -> str:
    suffix = Path(path).suffix.lower()
    if suffix not in (".toml", ".json"):
        raise InvalidParameterError(f"a gate is a .toml or a .json file, not {suffix or 'one without an extension'}")
    return suffix


def _parsed(text: str, suffix: str) -> dict[str, Any]:
    try:
        data = json.loads(text) if suffix == ".json" else parse_toml(text)
    except ValueError as error:
        raise InvalidParameterError(f"it is no valid {suffix[1:].upper()}: {error}") from error
    if not isinstance(data, dict):
        raise InvalidParameterError(f"a gate is an object with rules, not {data!r}")
    return data


def _numbered_rule(number: int, data: Mapping[str, Any]) -> Rule:
    try:
        return _rule(data)
    except InvalidParameterError as error:
        raise InvalidParameterError(f"rule {number}: {error}") from error


def _rule(data: Mapping[str, Any]) -> Rule:
    options = {key: data[key] for key in _RULE_FIELDS if key in data}
    for key, kind, word in (("required", bool, "true or false"), ("name", str, "a text")):
        if key in data and not isinstance(data[key], kind):
            raise InvalidParameterError(f"{key} must be {word}, not {data[key]!r}")
    if "any" not in data:
        _check_fields("a rule", data, (*_THRESHOLD_FIELDS, *_RULE_FIELDS, "any"))
        return Rule((_threshold({key: data[key] for key in _THRESHOLD_FIELDS if key in data}),), **options)
    _check_fields('a rule with "any"', data, (*_RULE_FIELDS, "any"))
    return Rule(tuple(map(_threshold, _list_of_tables("any", data["any"]))), **options)


def _threshold(data: Mapping[str, Any]) -> Threshold:
    _check_fields("a threshold", data, _THRESHOLD_FIELDS)
    if "measure" not in data:
        raise InvalidParameterError('it names no measure, such as measure = "si_sdr_db"')
    return Threshold(**data)


def _list_of_tables(name: str, value: object) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise InvalidParameterError(f"{name} must be a list of tables, not {value!r}")
    return value


def _check_fields(what: str, data: Mapping[str, Any], known: Sequence[str]) -> None:
    for key in data:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(known)}"
            raise InvalidParameterError(f"{what} has no field {key!r}: {hint}")


def _as_table(rule: Rule) -> dict[str, Any]:
    limits = [_without_none({key: getattr(item, key) for key in _THRESHOLD_FIELDS}) for item in rule.any]
    defaults = Rule(rule.any)
    options = {key: getattr(rule, key) for key in _RULE_FIELDS if getattr(rule, key) != getattr(defaults, key)}
    return {**limits[0], **options} if len(limits) == 1 else {"any": limits, **options}


def _without_none(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if value is not None}


def _toml(tables: Sequence[Mapping[str, Any]], options: Mapping[str, Any]) -> str:
    parts = [_HEAD + _assignments(options)]
    parts += ["[[rules]]\n" + _assignments(table) for table in tables]
    return "\n".join(parts)


def _assignments(table: Mapping[str, Any]) -> str:
    return "".join(f"{key} = {_toml_value(value)}\n" for key, value in table.items())


def _toml_value(value: Any) -> str:
    if isinstance(value, list):
        items = ", ".join("{ " + ", ".join(f"{k} = {_toml_value(v)}" for k, v in item.items()) + " }" for item in value)
        return f"[{items}]"
    # A string of JSON is one of TOML, but for one character that TOML wants escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
