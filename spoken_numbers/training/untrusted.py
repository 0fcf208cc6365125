"""What a .nemo file or a checkpoint from a stranger may hold: weights and settings, no code.

NeMo 3 itself extracts safely and instantiates from a list of allowed modules; here a file is refused before that, with
a reason, and whatever the environment says about pickles.
"""

import gzip
import re
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import Any

import torch
import yaml
from nemo.core.connectors.save_restore_connector import SaveRestoreConnector
from torch.nn.modules.module import (
    register_module_buffer_registration_hook,
    register_module_parameter_registration_hook,
)

MOST_BYTES = 1 << 30
"""Of all that an archive holds; the largest published config takes 26 MB."""
MOST_CONFIG = 1 << 20
MOST_NODES = 100_000
"""Of a config with its aliases written out; the largest published one has some hundreds."""
LARGEST_SETTING = 1 << 16
"""Of the front end, such as the samples of a window."""
LARGEST = {"features": 1024, "nfilt": 1024, "sample_rate": 192_000}
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
        check_weights(model_weights)
        return torch.load(model_weights, map_location=map_location, weights_only=True)


def load_plain(path: Path) -> dict[str, Any]:
    """A checkpoint's tensors, numbers and settings, on the CPU.

    Raises:
        pickle.UnpicklingError: it names anything else.
        UntrustedError: it would grow when it is read.
    """
    check_weights(path)
    classes = [getattr(import_module(module), name) for module, names in PLAIN.items() for name in names]
    with torch.serialization.safe_globals(classes):
        return torch.load(path, map_location="cpu", weights_only=True)


def check_weights(path: Any) -> None:
    """Pass what torch writes, whose archives are stored as they are; one that is packed is larger than it looks.

    Raises:
        UntrustedError: a packed archive.
    """
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
                raise UntrustedError("its weights are packed, as torch never does")


@contextmanager
def no_more_weights_than(most: int) -> Iterator[None]:
    """Within, no model can be built whose weights take more bytes, whatever its config asks for.

    Raises:
        UntrustedError: one is being built; before the weights in excess are filled.
    """
    held = 0

    def count(module: Any, name: str, tensor: torch.Tensor | None) -> None:
        nonlocal held
        held += 0 if tensor is None else tensor.nbytes
        if held > most:
            raise too_many

    too_many = UntrustedError("its config asks for more weights than it holds")
    hooks = [register_module_parameter_registration_hook(count), register_module_buffer_registration_hook(count)]
    try:
        yield
    except Exception as error:  # NeMo and Hydra make others of it
        raise too_many if held > most else error from None
    finally:
        for hook in hooks:
            hook.remove()


class _Frugal:
    """An archive's file, of which little is read: tarfile takes in a whole header, however long that says it is."""

    def __init__(self, file: Any) -> None:
        self._file, self._left = file, 2 * MOST_CONFIG
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        self._left -= size
        if size < 0 or self._left < 0:
            raise UntrustedError("archive's headers are absurdly long")
        return self._file.read(size)


def check_archive(path: Path) -> None:
    """Look through a .nemo file without extracting it.

    Raises:
        UntrustedError: links, paths that lead out, absurd sizes, or classes that do not belong to a speech model.
        tarfile.TarError, yaml.YAMLError: broken.
    """
    with path.open("rb") as plain, gzip.open(plain) as unpacked:
        packed = plain.read(2) == b"\x1f\x8b"
        plain.seek(0)
        file: Any = _Frugal(unpacked if packed else plain)
        with tarfile.TarFile(fileobj=file) as archive:
            settings = _settings(archive)
    check_settings(settings)


def _settings(archive: tarfile.TarFile) -> Any:
    held, settings = 0, None
    for member in archive:
        name = PurePosixPath(member.name)
        if not (member.isfile() or member.isdir()) or member.issparse() or name.is_absolute() or ".." in name.parts:
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
    return settings


def check_settings(settings: Any) -> None:
    """Pass plain containers that name classes of speech models alone, and nothing of this machine.

    Raises:
        UntrustedError: anything else, or absurd sizes.
    """
    for count, (key, value) in enumerate(_nodes(settings)):
        if count > MOST_NODES:
            raise UntrustedError("its config is absurdly large once its aliases are written out")
        if not isinstance(value, str):
            continue
        if key in ("target", "_target_", "cls") and not TRUSTED.fullmatch(value):
            raise UntrustedError(f"its config names '{value}', which is no part of a speech model")
        if "${oc." in value:
            raise UntrustedError(f"its config asks for '{value}', which is not the model's to know")
    for key, value in _nodes(settings.get("preprocessor") if isinstance(settings, dict) else None):
        if isinstance(value, int | float) and value > LARGEST.get(key, LARGEST_SETTING):
            raise UntrustedError(f"its config asks for a front end with {value} as '{key}'")


def _nodes(settings: Any) -> Iterator[tuple[str, Any]]:
    """Each value, container or not, with the key that it stands under; an alias is gone through each time."""
    waiting = [("", settings)]
    while waiting:
        key, node = waiting.pop()
        yield key, node
        if isinstance(node, dict):
            waiting.extend((str(name), value) for name, value in node.items())
        elif isinstance(node, list):
            waiting.extend((key, value) for value in node)
