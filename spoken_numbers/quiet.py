"""Silence for what a user can do nothing about; real warnings still show."""

import logging
import os
import warnings

HARMLESS = [
    r".*does not have many workers.*",
    r".*Checkpoint directory .* exists and is not empty.*",
    r".*number of training batches .* is smaller than the logging interval.*",
    r".*resuming from a checkpoint that ended before the epoch ended.*",  # LengthBatchSampler resumes
    r".*Trying to infer the `batch_size` from an ambiguous collection.*",
    r".*Detected call of `lr_scheduler.step\(\)` before `optimizer.step\(\)`.*",
    r".*`isinstance\(treespec, LeafSpec\)` is deprecated.*",
    r".*torch.cuda.amp.*deprecated.*",
    r".*pynvml package is deprecated.*",
]

RESET_THEIR_LEVEL = [
    "nemo_logger",
    "lightning.pytorch",
    "lightning.pytorch.utilities.rank_zero",
    "lightning.fabric",
    "lightning.fabric.utilities.rank_zero",
    "pytorch_lightning",
    "pytorch_lightning.utilities.rank_zero",
]


def quiet() -> None:
    """Call before NeMo and Lightning are imported."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("NUMBA_DISABLE_CUDA", "1")
    for message in HARMLESS:
        warnings.filterwarnings("ignore", message)
    for category in (SyntaxWarning, DeprecationWarning, FutureWarning):
        warnings.filterwarnings("ignore", category=category)
    for name in ("nv_one_logger", "OneLogger", "numexpr"):
        logging.getLogger(name).setLevel(logging.ERROR)
    for name in RESET_THEIR_LEVEL:
        logging.getLogger(name).addFilter(_is_error)


def _is_error(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.ERROR
