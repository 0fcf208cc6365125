"""From a config and manifests to a trained model; the torch side of the house."""

from spoken_numbers.training.quiet import quiet

quiet()
