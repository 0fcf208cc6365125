"""``train_quartznet.py``'s command line: a config's path, Hydra's overrides and options, one-line errors."""

import difflib
import os
import re
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import hydra
from hydra._internal.utils import get_args_parser
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Quote, QuotedString
from hydra.errors import HydraException, OverrideParseException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from spoken_numbers.cli import fail
from spoken_numbers.errors import UserError
from spoken_numbers.utf8 import use_utf8

CONF = Path(__file__).parents[2] / "conf"


class ConfigError(UserError):
    """A config that cannot be trained."""


def run(manual: str) -> None:
    """Compose the config that the command line names and train it; exit status as for every command."""
    use_utf8()
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help"):
        print(manual.strip())
        print("\nConfigs:", ", ".join(sorted(p.stem for p in CONF.glob("*.yaml") if p.stem != "base")))
        sys.exit(0 if len(sys.argv) > 1 else 2)
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra raises instead of printing a page and exiting with 1
    config = Path(sys.argv[1])
    try:
        if not sys.argv[1].startswith("-"):  # as a process that Lightning starts for another device has it
            sys.argv[1:] = _hydra_arguments(config, sys.argv[2:])
            composed(config, [])
        hydra.main(version_base="1.3", config_path=None)(_train)()
    except UserError as error:
        fail(error)
    except (HydraException, OmegaConfBaseException) as error:
        fail(_explained(error, config))
    except KeyboardInterrupt as end:
        print("interrupted; type the same command to go on from the last checkpoint", file=sys.stderr)
        sys.exit(128 + int(end.args[0] if end.args else signal.SIGINT))


def _train(cfg: DictConfig) -> float | None:
    """Train; the best validation string accuracy, for a sweep."""
    from spoken_numbers.training.train import best_score, train  # seconds; --cfg job needs neither torch nor NeMo

    if HydraConfig.get().mode == RunMode.MULTIRUN:
        cfg.name = f"{cfg.name}/{HydraConfig.get().job.num}"
    try:
        return best_score(train(cfg))
    except UserError as error:
        fail(error)  # here, since Hydra prints a line of its own about any exception


def _hydra_arguments(config: Path, given: list[str]) -> list[str]:
    """Options first, then overrides, since Hydra's parser wants each in one piece; ours make it write nothing."""
    _refuse_unknown(config)
    folder = config.resolve().parent
    overrides = _overrides(given)
    options = [argument for argument in given if argument not in overrides]
    silent = ["hydra.run.dir=.", "hydra.output_subdir=null", "hydra/job_logging=none", "hydra/hydra_logging=none"]
    where = ["--config-path", str(folder), "--config-name", config.stem]
    return [*where, *options, *map(_with_path_quoted, overrides), *silent, *_search_path(folder)]


def _refuse_unknown(config: Path) -> None:
    if not config.is_file():
        known = [str(p) for p in Path(os.path.relpath(CONF)).glob("*.yaml")]
        near = difflib.get_close_matches(str(config), known, 1, 0.4)
        todo = f"did you mean {near[0]}?" if near else "see conf/ for the configs"
        raise ConfigError("no such config", where=str(config), todo=todo)


def _search_path(folder: Path) -> list[str]:
    """Where a config outside conf/ finds the shared pieces."""
    return [] if folder == CONF else [f"hydra.searchpath=[{_quoted(f'file://{CONF}')}]"]


def _with_path_quoted(override: str) -> str:
    """Hydra's grammar wants quotes around most signs, and every letter that is not ASCII."""
    key, _, value = override.partition("=")
    try:
        OverridesParser.create().parse_overrides([override])
    except OverrideParseException:
        if Path(value).is_absolute():
            return f"{key}={_quoted(value)}"
    return override


def _quoted(text: str) -> str:
    return QuotedString(text, Quote.single).with_quotes()


def _overrides(given: list[str]) -> list[str]:
    def refuse(message: str) -> NoReturn:
        raise ConfigError(message, where="train_quartznet.py", todo="see --help; settings are written key=value")

    parser = get_args_parser()
    parser.error = refuse  # type: ignore[method-assign]
    return list(parser.parse_intermixed_args(given).overrides)


def _explained(error: Exception, config: Path) -> ConfigError:
    if isinstance(error, OverrideParseException):
        todo = """put a value with such signs into quotes, "key='a, (b)'\""""
        return ConfigError("cannot read setting", where=error.override, todo=todo)
    messages = [str(error)]
    while error.__cause__ is not None:
        error = error.__cause__  # type: ignore[assignment]
        messages.append(str(error))
    text = " ".join(" ".join(messages).split())
    key = re.search(r"Could not override '([^']+)'|full_key: (\S+)", text)
    if key and ("not in struct" in text or "Could not override" in text):
        name = key.group(1) or key.group(2)
        return ConfigError(f"no such key '{name}'", where=str(config), todo=_nearest(name, config))
    first = messages[0].strip().splitlines()[0] if messages[0].strip() else type(error).__name__
    return ConfigError(first, where=str(config), todo="see --help, or print the config with --cfg job")


def _nearest(name: str, config: Path) -> str:
    keys: list[str] = []
    with suppress(Exception):  # the config's own defaults may be what is wrong
        keys = all_keys(_compose(config, []))
    near = difflib.get_close_matches(name, keys, 1, 0.5)
    return f"did you mean '{near[0]}'? (a new key takes a + before it)" if near else "see --cfg job for the keys"


def composed(config: Path, overrides: Sequence[str], needed: Sequence[str] = ()) -> DictConfig:
    """The config as training would see it, for commands that do not train.

    Args:
        needed: keys below which nothing may be missing.

    Raises:
        ConfigError: no such config, a bad override, or a needed value that is not filled in.
    """
    _refuse_unknown(config)
    try:
        cfg = _compose(config, overrides)
        missing = sorted(key for key in OmegaConf.missing_keys(cfg) if key.startswith(tuple(needed)))
    except Exception as error:  # Hydra raises whatever a file that is no config makes of it
        raise _explained(error, config) from None
    if missing:
        raise ConfigError(f"not filled in: {', '.join(missing)}", where=str(config), todo="give each as key=value")
    return cfg


def _compose(config: Path, overrides: Sequence[str]) -> DictConfig:
    folder = config.resolve().parent
    with hydra.initialize_config_dir(str(folder), version_base="1.3"):
        return hydra.compose(config.stem, overrides=[*map(_with_path_quoted, overrides), *_search_path(folder)])


def all_keys(cfg: DictConfig, prefix: str = "") -> list[str]:
    """Every key of a config, dotted."""
    keys: list[str] = []
    for key in cfg:
        name = f"{prefix}{key!s}"
        keys.append(name)
        node = cfg._get_node(key)
        if isinstance(node, DictConfig) and not node._is_missing() and not node._is_interpolation():
            keys.extend(all_keys(node, f"{name}."))
    return keys


def leaves(cfg: DictConfig, *, resolve: bool = True) -> dict[str, object]:
    """Dotted keys → values, with interpolations resolved or as they are written; an empty section is a value."""
    flat: dict[str, object] = {}

    def walk(node: object, key: str) -> None:
        if isinstance(node, dict) and node:
            for name, value in node.items():
                walk(value, f"{key}.{name}" if key else str(name))
        else:
            flat[key] = node

    walk(OmegaConf.to_container(cfg, resolve=resolve), "")
    return flat
