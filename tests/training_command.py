"""The real training command on a tiny model."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
TINY = [
    "size.widths=[16,16,16,16,16]",
    "size.kernels=[11,11,11,11,11]",
    "size.prologue=16",
    "size.epilogue=[16,16]",
    "trainer.accelerator=cpu",
    "trainer.precision=32-true",
    "model.train_ds.batch_size=8",
    "model.train_ds.num_workers=0",
]


def arguments(corpus: Path, exp_dir: Path, *overrides: str, config: str = "conf/quickstart.yaml") -> list[str]:
    data = [
        f"model.train_ds.manifest_filepath={corpus}/train.json",
        f"model.validation_ds.manifest_filepath={corpus}/validation.json",
    ]
    return [sys.executable, "train_quartznet.py", config, *TINY, *data, f"exp_manager.exp_dir={exp_dir}", *overrides]


def train(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(list(args), cwd=ROOT, capture_output=True, text=True, check=False)
