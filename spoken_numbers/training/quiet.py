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


def quiet() -> None:
    """Call before NeMo is imported."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("NUMBA_DISABLE_CUDA", "1")
    for message in HARMLESS:
        warnings.filterwarnings("ignore", message)
    for category in (SyntaxWarning, DeprecationWarning, FutureWarning):
        warnings.filterwarnings("ignore", category=category)
    for name in (
        "lightning.pytorch",
        "pytorch_lightning",
        "lightning.fabric",
        "pytorch_lightning.utilities.rank_zero",
        "lightning.pytorch.utilities.rank_zero",
        "nv_one_logger",
        "OneLogger",
        "numexpr",
    ):
        logging.getLogger(name).setLevel(logging.ERROR)
    from nemo.utils import logging as nemo_logging

    nemo_logging.setLevel(logging.ERROR)
