"""What a .nemo file or a checkpoint from a stranger may hold: weights and settings, no code.

NeMo 3 itself extracts safely and instantiates from a list of allowed modules; here a file is refused before that, with
a reason, and whatever the environment says about pickles.
"""

import re
import tarfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import Any

import torch
import yaml
from nemo.core.connectors.save_restore_connector import SaveRestoreConnector

MOST_BYTES = 1 << 30
"""Of all that an archive holds; the largest published config takes 26 MB."""
MOST_CONFIG = 1 << 22
CONFIG = "model_config.yaml"
TRUSTED = re.compile(r"nemo\.collections\.asr\.(models|modules)(\.\w+)*\.[A-Z]\w*")
"""Classes that a config may name; NeMo's own list lets functions by that write files."""

PLAIN = {
    "builtins": ["bool", "dict", "float", "int", "list", "str"],
    "collections": ["defaultdict"],
    "typing": ["Any", "List"],
    "omegaconf.base": ["ContainerMetadata", "Metadata"],
    "omegaconf.dictconfig": ["DictConfig"],
    "omegaconf.listconfig": ["ListConfig"],
    "omegaconf.nodes": ["AnyNode", "BooleanNode", "FloatNode", "IntegerNode", "StringNode"],
    "nemo.collections.asr.parts.context_biasing.boosting_graph_batched": ["BoostingTreeModelConfig", "PhraseItem"],
    "nemo.collections.asr.parts.submodules.ctc_beam_decoding": [
        *("BeamCTCInferConfig", "FlashlightConfig", "PyCTCDecodeConfig", "WfstCTCInferConfig")
    ],
    "nemo.collections.asr.parts.submodules.ctc_decoding": ["CTCDecodingConfig"],
    "nemo.collections.asr.parts.submodules.ctc_greedy_decoding": ["GreedyCTCInferConfig"],
    "nemo.collections.asr.parts.utils.asr_confidence_utils": ["ConfidenceConfig", "ConfidenceMethodConfig"],
}
"""All that the settings in a checkpoint are made of: containers and dataclasses, which run nothing."""


class UntrustedError(ValueError):
    """A file that holds more than weights and settings."""


class WeightsOnly(SaveRestoreConnector):
    """Restores weights without unpickling anything else, also where the environment would allow it."""

    @staticmethod
    def _load_state_dict_from_disk(model_weights: Any, map_location: Any = "cpu") -> dict[str, Any]:
        return torch.load(model_weights, map_location=map_location, weights_only=True)


def load_plain(path: Path) -> dict[str, Any]:
    """A checkpoint's tensors, numbers and settings, on the CPU.

    Raises:
        pickle.UnpicklingError: it names anything else.
    """
    classes = [getattr(import_module(module), name) for module, names in PLAIN.items() for name in names]
    with torch.serialization.safe_globals(classes):
        return torch.load(path, map_location="cpu", weights_only=True)


def check_archive(path: Path) -> None:
    """Look through a .nemo file without extracting it.

    Raises:
        UntrustedError: links, paths that lead out, absurd sizes, or classes that do not belong to a speech model.
        tarfile.TarError, yaml.YAMLError: broken.
    """
    held, settings = 0, None
    with tarfile.open(path) as archive:
        for member in archive:
            name = PurePosixPath(member.name)
            if not (member.isfile() or member.isdir()) or name.is_absolute() or ".." in name.parts:
                raise UntrustedError(f"archive holds '{member.name}', which is no plain file within it")
            held += member.size
            if held > MOST_BYTES or (name.name == CONFIG and member.size > MOST_CONFIG):
                raise UntrustedError(f"archive holds absurdly much at '{member.name}'")
            if name.name == CONFIG:
                if settings is not None:
                    raise UntrustedError(f"archive holds {CONFIG} twice")
                content = archive.extractfile(member)
                settings = yaml.safe_load(content.read()) if content is not None else None
    if settings is None:
        raise UntrustedError(f"archive holds no {CONFIG}")
    check_settings(settings)


def check_settings(settings: Any) -> None:
    """Pass plain containers that name classes of speech models alone, and nothing of this machine.

    Raises:
        UntrustedError: anything else.
    """
    for key, value in _leaves(settings):
        if key in ("target", "_target_", "cls") and not TRUSTED.fullmatch(value):
            raise UntrustedError(f"its config names '{value}', which is no part of a speech model")
        if "${oc." in value:
            raise UntrustedError(f"its config asks for '{value}', which is not the model's to know")


def _leaves(node: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Texts, each with the key that it stands under."""
    if isinstance(node, str):
        yield key, node
    elif isinstance(node, dict):
        for name, value in node.items():
            yield from _leaves(value, str(name))
    elif isinstance(node, list):
        for value in node:
            yield from _leaves(value, key)
