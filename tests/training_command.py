"""What the training command is given for a tiny model."""

from pathlib import Path

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
    return ["train_quartznet.py", config, *TINY, *data, f"exp_manager.exp_dir={exp_dir}", *overrides]
