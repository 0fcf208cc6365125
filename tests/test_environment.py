"""The pins, the vocabulary and the sample rate stand in one place each, or are held equal here."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import yaml

from spoken_numbers import audio
from spoken_numbers.labels import LABELS

ROOT = Path(__file__).parents[1]


def pins(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def test_conda_and_pip_install_the_same_versions():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    (by_pip,) = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    assert by_pip == pins((ROOT / "requirements.txt").read_text())


def test_every_direct_dependency_is_pinned():
    for line in pins((ROOT / "requirements.txt").read_text()):
        assert line == "-e ." or re.fullmatch(r"[\w.-]+(\[\w+\])?==[\w.]+", line), line


def imported(path: Path) -> set[str]:
    """The packages that a module names in its imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module)
    return {name.split(".")[0] for name in names}


def test_whatever_is_imported_is_installed_by_name():
    """Of `make setup`; benchmarks may use what `make bench` installs besides."""

    def name(distribution: str) -> str:
        return re.sub(r"[-_.]+", "-", re.split(r"[\[=]", distribution)[0]).lower()

    used = {name(pin) for pin in pins((ROOT / "requirements.txt").read_text())} | {"spoken-numbers"}
    developing = used | {name(pin) for pin in pins((ROOT / "requirements-dev.txt").read_text())}
    owners = packages_distributions()
    folders = ("spoken_numbers", "scripts", "quantization", "evaluation", "benchmarks")
    paths = [ROOT / "train_quartznet.py", *(path for folder in folders for path in (ROOT / folder).rglob("*.py"))]
    own = {path.stem for path in paths} | sys.stdlib_module_names
    for path in paths:
        installed = developing if path.parent.name == "benchmarks" else used
        wanted = imported(path) - own
        missing = {one for one in wanted if not installed & {name(owner) for owner in owners.get(one, [])}}
        assert not missing, path


def test_the_recogniser_is_pinned_to_the_versions_that_it_was_tested_with():
    runtime = pins((ROOT / "requirements-runtime.txt").read_text())
    assert set(runtime) <= set(pins((ROOT / "requirements.txt").read_text()))
    package = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert package["dependencies"] == [pin.replace("==", ">=") for pin in runtime]


def test_the_config_has_the_vocabulary_and_sample_rate_of_the_library():
    base = yaml.safe_load((ROOT / "conf" / "base.yaml").read_text())
    assert tuple(base["model"]["labels"]) == LABELS
    frontends = [yaml.safe_load(path.read_text()) for path in (ROOT / "conf" / "frontend").glob("*.yaml")]
    rates = [frontend["sample_rate"] for frontend in frontends if "sample_rate" in frontend]
    assert set(rates) == {audio.SAMPLE_RATE}
