"""Small recognisers of spoken numbers: audio in, digit string out."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spoken_numbers.recognizer import Recognizer as Recognizer

__version__ = "0.1.0"
__all__ = ("Recognizer", "__version__")


def __getattr__(name: str) -> Any:
    if name == "Recognizer":  # loaded when it is asked for: training and corpora do without ONNX Runtime
        from spoken_numbers.recognizer import Recognizer

        return Recognizer
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
