"""Options with dotted keys, and rules, as the YAML text of a configuration file."""

import json


def configuration(options, rules):
    tree = {}
    for key, value in options.items():
        *folders, leaf = key.split(".")
        place = tree
        for folder in folders:
            place = place.setdefault(folder, {})
        place[leaf] = value
    tree["rules"] = rules
    return "\n".join(_lines(tree, "")) + "\n"


def _lines(tree, indent):
    for key, value in tree.items():
        if isinstance(value, dict):
            yield f"{indent}{key}:"
            yield from _lines(value, indent + "  ")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            yield f"{indent}{key}:"
            for item in value:
                first, *others = _lines(item, indent + "    ")
                yield f"{indent}  - {first.lstrip()}"
                yield from others
        elif isinstance(value, list):
            yield f"{indent}{key}: [{', '.join(map(_scalar, value))}]"
        else:
            yield f"{indent}{key}: {_scalar(value)}"


def _scalar(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    # A JSON string is a double-quoted YAML string.
    return json.dumps(value) if isinstance(value, str) else str(value)
