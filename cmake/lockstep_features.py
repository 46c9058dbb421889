# SPDX-License-Identifier: Apache-2.0
"""Prints "option|feature|status|default|description" for every build option of a feature contract.

The contract is checked in full by `lockstep matrix check`; this reads only what the build needs, and refuses what it
cannot read.
"""
import re
import sys

import yaml


def main(path):
    with open(path, encoding="utf-8") as file:
        # The base loader leaves every scalar a text, so that `on` stays a word.
        contract = yaml.load(file, Loader=yaml.BaseLoader)
    for feature in contract["features"]:
        option = feature.get("build-option")
        if option is None:
            continue
        if not re.fullmatch(r"[A-Z_][A-Z0-9_]*", option):
            raise ValueError(f"feature {feature['name']}: {option!r} is no name of an option")
        default = feature.get("default", feature.get("values", ["off"])[0])
        description = re.sub(r"[|;\s]+", " ", feature["description"]).strip()
        print("|".join([option, feature["name"], feature["status"], default.upper(), description]))


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, yaml.YAMLError) as error:
        sys.exit(f"{sys.argv[1]}: {type(error).__name__}: {error}")
