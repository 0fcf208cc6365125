"""From a config and manifests to a trained model; the torch side of the house."""

from spoken_numbers.quiet import quiet

quiet()
