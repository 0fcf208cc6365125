"""Train a QuartzNet on spoken numbers.

    python3 train_quartznet.py conf/NAME.yaml [key=value …]

Fill in what the config marks ??? in a copy of it or on the command line:

    python3 train_quartznet.py conf/quartznet_5x1.yaml \\
        model.train_ds.manifest_filepath=data/an4/train.json \\
        model.validation_ds.manifest_filepath=data/an4/test.json

Typed again after a kill, the same command goes on from the last checkpoint. Hydra's own options work:
--cfg job prints the composed config, --multirun sweeps (key=a,b) or, with conf/quickstart_sweep.yaml, searches.
`tensorboard --logdir experiments` shows the curves; the best model ends up in experiments/NAME/NAME.nemo.
"""

from spoken_numbers.training.command import run

if __name__ == "__main__":
    run(__doc__)
