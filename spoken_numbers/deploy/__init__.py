"""NeMo model → ONNX → int8, and the proof that they agree."""

from spoken_numbers.quiet import quiet

quiet()
