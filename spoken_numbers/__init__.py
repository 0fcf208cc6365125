"""Small recognisers of spoken numbers: audio in, digit string out."""

__version__ = "0.1.0"
