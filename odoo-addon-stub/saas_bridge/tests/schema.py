"""The protocol, checked against the schema that the daemon's own checks are made into."""

import json
import re

from odoo.tools import file_open

with file_open("saas_bridge/protocol.schema.json") as file:
    PROTOCOL_SCHEMA = json.load(file)

TYPES = {
    "array": list,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "object": dict,
    "string": str,
}
# What says nothing about a value.
NOTES = {"$schema", "title", "description", "$defs", "default", "format"}


def problems(value, schema, where="$"):
    """What is wrong with a value by a JSON Schema, as far as the protocol's uses it; [] when it fits.

    A keyword that is not known here is an error: it would not be checked.
    """
    found = []
    for keyword, wanted in schema.items():
        if keyword in NOTES:
            continue
        if keyword == "$ref":
            found += problems(value, PROTOCOL_SCHEMA["$defs"][wanted.removeprefix("#/$defs/")], where)
        elif keyword in ("anyOf", "oneOf"):
            found += _problems_of_union(value, wanted, where)
        elif keyword == "type":
            if not isinstance(value, TYPES[wanted]) or (isinstance(value, bool) and wanted != "boolean"):
                return [f"{where}: {value!r} is no {wanted}"]
        elif keyword == "const":
            if value != wanted or type(value) is not type(wanted):
                found.append(f"{where}: {value!r} is not {wanted!r}")
        elif keyword == "enum":
            if value not in wanted:
                found.append(f"{where}: {value!r} is none of {wanted}")
        elif keyword == "pattern":
            if not re.search(wanted, value):
                found.append(f"{where}: {value!r} does not match {wanted}")
        elif keyword == "minLength":
            if len(value) < wanted:
                found.append(f"{where}: {value!r} is too short")
        elif keyword == "maxLength":
            if len(value) > wanted:
                found.append(f"{where}: {value!r} is too long")
        elif keyword in ("minimum", "exclusiveMinimum"):
            if value < wanted or (value == wanted and keyword == "exclusiveMinimum"):
                found.append(f"{where}: {value!r} is too small")
        elif keyword == "maximum":
            if value > wanted:
                found.append(f"{where}: {value!r} is too large")
        elif keyword == "required":
            found += [f"{where}: {name} is missing" for name in wanted if name not in value]
        elif keyword == "properties":
            for name, inner in wanted.items():
                if name in value:
                    found += problems(value[name], inner, f"{where}.{name}")
        elif keyword == "additionalProperties":
            for name in value.keys() - schema.get("properties", {}).keys():
                found += problems(value[name], wanted, f"{where}.{name}") if wanted else [f"{where}: {name} is unknown"]
        elif keyword == "propertyNames":
            for name in value:
                found += problems(name, wanted, f"{where}: {name}")
        elif keyword == "items":
            for number, item in enumerate(value):
                found += problems(item, wanted, f"{where}[{number}]")
        elif keyword == "maxItems":
            if len(value) > wanted:
                found.append(f"{where}: has more than {wanted}")
        else:
            raise NotImplementedError(keyword)
    return found


def _problems_of_union(value, options, where):
    """Of the option that is meant, where the options have a constant each; else of the one that fits best."""
    tried = [problems(value, option, where) for option in options]
    if [] in tried:
        return []
    meant = [
        found
        for found, option in zip(tried, options, strict=True)
        if any(
            isinstance(value, dict) and "const" in inner and value.get(name) == inner["const"]
            for name, inner in option.get("properties", {}).items()
        )
    ]
    return min(meant or tried, key=len)


def reply_problems(method, reply):
    return problems(reply, PROTOCOL_SCHEMA["properties"][method])


def operation_problems(operation):
    return problems(operation, PROTOCOL_SCHEMA["$defs"]["operation"])


def messages():
    """Code → names of its parameters, of all sentences and their parts."""
    options = [*PROTOCOL_SCHEMA["$defs"]["message"]["oneOf"], *PROTOCOL_SCHEMA["$defs"]["misfit"]["oneOf"]]
    return {
        option["properties"]["code"]["const"]: set(option["properties"]["params"].get("properties", {}))
        for option in options
    }
