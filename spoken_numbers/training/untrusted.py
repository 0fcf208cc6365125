"""What a .nemo file or a checkpoint from a stranger may hold: weights and settings, no code.

NeMo 3 itself extracts safely and instantiates from a list of allowed modules; here a file is refused before that, with
a reason, and whatever the environment says about pickles.
"""

import gzip
import io
import re
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import Any

import torch
import yaml
from nemo.core.connectors.save_restore_connector import SaveRestoreConnector
from omegaconf import Node
from torch.nn.modules.module import register_module_parameter_registration_hook

MOST_BYTES = 1 << 29
"""Of all that an archive holds; a QuartzNet 15×5 takes 76 MB."""
MOST_HEADERS = 1 << 20
"""Bytes of an archive's headers and its config, which takes 13 kB."""
MOST_PICKLED = 1 << 22
"""Bytes of a checkpoint without its tensors' contents."""
MOST_SETTINGS = 50_000
"""In a config; one that carries the config of its training has a thousand."""
MOST_PARAMETERS, MOST_TENSORS = 100_000_000, 10_000
"""Of a model; a QuartzNet 15×5 has 19 million in 500."""
MOST = {"sample_rate": 192_000, "window_size": 1.0, "n_window_size": 192_000, "n_fft": 1 << 16, "features": 512}
"""Of the settings that the front end's tables grow with; Hz, seconds, samples, samples, bands."""
CONFIG = "model_config.yaml"
TRUSTED = re.compile(
    r"nemo\.collections\.asr\.(models(\.\w+)*\.[A-Z]\w*"
    r"|modules(\.\w+)?\.(AudioToMelSpectrogramPreprocessor|SpectrogramAugmentation|ConvASR(En|De)coder\w*))"
)
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
    """A file that holds more than weights and settings, or absurdly much of them."""


class WeightsOnly(SaveRestoreConnector):
    """Restores weights without unpickling anything else, also where the environment would allow it."""

    @staticmethod
    def _load_state_dict_from_disk(model_weights: Any, map_location: Any = "cpu") -> dict[str, Any]:
        check_weights(Path(model_weights))
        return torch.load(model_weights, map_location=map_location, weights_only=True)

    @staticmethod
    def _unpack_nemo_file(path2file: str, out_folder: str, members: Any = None) -> str:
        """Also without extraction filters, which Debian 12's Python 3.11.2 lacks: ``check_archive`` was here before."""
        with SaveRestoreConnector._tar_open(path2file) as archive:
            archive.extraction_filter = getattr(tarfile, "data_filter", None)
            archive.extractall(out_folder, members)
        return out_folder


def load_plain(path: Path) -> dict[str, Any]:
    """A checkpoint's tensors, numbers and settings, on the CPU.

    Raises:
        UntrustedError: absurd sizes.
        pickle.UnpicklingError: it names anything else.
        zipfile.BadZipFile: no checkpoint.
    """
    check_weights(path)
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
    with _opened(path) as file, tarfile.open(fileobj=_Sparing(file), mode="r:") as archive:
        for member in archive:
            name = PurePosixPath(member.name)
            plain = (member.isfile() or member.isdir()) and not member.issparse()
            if not plain or name.is_absolute() or ".." in name.parts:
                raise UntrustedError(f"archive holds '{member.name}', which is no plain file within it")
            held += member.size
            if held > MOST_BYTES:
                raise UntrustedError(f"archive holds absurdly much at '{member.name}'")
            if name.name == CONFIG:
                if settings is not None:
                    raise UntrustedError(f"archive holds {CONFIG} twice")
                content = archive.extractfile(member)
                settings = yaml.load(content.read(), _Unaliased) if content is not None else None
    if settings is None:
        raise UntrustedError(f"archive holds no {CONFIG}")
    check_settings(settings)


def check_weights(path: Path) -> None:
    """Look through torch's zip file by its directory alone; torch stores tensors as they are and side by side.

    Raises:
        UntrustedError: something in it would unfold.
        zipfile.BadZipFile: broken.
    """
    with zipfile.ZipFile(path) as archive:
        records = archive.infolist()
    if any(one.compress_type != zipfile.ZIP_STORED for one in records):
        raise UntrustedError("weights are compressed, which torch never does")
    if sum(one.file_size for one in records) > path.stat().st_size:
        raise UntrustedError("weights unfold to more than the file holds")
    if any(one.filename.endswith(".pkl") and one.file_size > MOST_PICKLED for one in records):
        raise UntrustedError("weights hold absurdly much besides tensors")


def bounded_model() -> AbstractContextManager[Any]:
    """While it is open, a model that grows absurdly large is refused before its memory is touched.

    Raises:
        UntrustedError: in the model's building.
    """
    parameters = tensors = 0

    def count(_module: torch.nn.Module, _name: str, parameter: torch.nn.Parameter) -> None:
        nonlocal parameters, tensors
        parameters, tensors = parameters + parameter.numel(), tensors + 1
        if parameters > MOST_PARAMETERS or tensors > MOST_TENSORS:
            most = f"{MOST_PARAMETERS / 1e6:.0f} million parameters or {MOST_TENSORS} tensors"
            raise UntrustedError(f"its config asks for more than {most}")

    return register_module_parameter_registration_hook(count)


def check_settings(settings: Any) -> None:
    """Pass plain containers that name classes of speech models alone, and nothing of this machine.

    Raises:
        UntrustedError: anything else, or absurdly much of it.
    """
    for key, value in _settings(settings):
        if isinstance(value, str):
            if key in ("target", "_target_", "cls") and not TRUSTED.fullmatch(value):
                raise UntrustedError(f"its config names '{value}', which is no part of a speech model")
            if "${" in value:  # NeMo resolves what it saves
                raise UntrustedError(f"its config asks for '{value}', which is not the model's to know")
        elif key in MOST and isinstance(value, int | float) and not value <= MOST[key]:
            raise UntrustedError(f"its config asks for {key} {value}, {MOST[key]} are plenty")


def _settings(node: Any) -> Iterator[tuple[str, Any]]:
    """Containers, texts and numbers, plain or OmegaConf's, each with the key that it stands under."""
    left, seen = [("", node)], 0
    while left:
        key, node = left.pop()
        value = node._value() if isinstance(node, Node) else node
        yield key, value
        if isinstance(value, dict):
            left.extend((str(name), one) for name, one in value.items())
        elif isinstance(value, list):
            left.extend((key, one) for one in value)
        seen += 1
        if seen + len(left) > MOST_SETTINGS:
            raise UntrustedError("its config is absurdly long")


def _opened(path: Path) -> io.BufferedIOBase:
    """Unzipped where it is gzipped, as NeMo's files were before 1.7."""
    with path.open("rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    return gzip.open(path) if zipped else path.open("rb")


class _Sparing(io.BufferedIOBase):
    """A file of which little may be read; what is passed over by seeking costs nothing."""

    def __init__(self, file: io.BufferedIOBase) -> None:
        self._file, self._left = file, MOST_HEADERS

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = MOST_HEADERS + 1 if size is None or size < 0 else size
        self._left -= wanted
        if self._left < 0:
            raise UntrustedError("archive's headers or its config are absurdly long")
        return self._file.read(wanted)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


class _Unaliased(yaml.SafeLoader):
    """Without aliases, which NeMo never writes, and by which a small config unfolds to a huge one."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise UntrustedError("its config holds a YAML alias")
        return super().compose_node(parent, index)
