"""The calibration of a model's confidences, in its metadata."""

from dataclasses import replace
from pathlib import Path

import onnx

from spoken_numbers.decoding.confidence import Calibration
from spoken_numbers.files import written_whole
from spoken_numbers.onnx_model import OnnxModelError, open_model


def store(path: Path, calibration: Calibration) -> None:
    """Write it into an exported waveform graph, in place of any that is there; the rest of the file stays as it is.

    Raises:
        OnnxModelError: not exported by this project, or a features graph, which no decoder of ours reads.
    """
    metadata = open_model(path).metadata
    if metadata.graph != "waveform":
        todo = "use the file without _features"
        raise OnnxModelError("model takes features, not a waveform", where=str(path), todo=todo)
    model = onnx.load(path, load_external_data=False)
    onnx.helper.set_model_props(model, replace(metadata, confidence=calibration).as_properties())
    with written_whole(path) as temporary:
        onnx.save(model, temporary)
