"""Print what the package and its tests need besides torch, a requirement a line. Needs Python 3.11."""

import re
from pathlib import Path

import tomllib

project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
for requirement in project["dependencies"] + project["optional-dependencies"]["test"]:
    if re.match("[A-Za-z0-9-]+", requirement)[0] != "torch":
        print(requirement)
