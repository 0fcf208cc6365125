"""Manifests made for a test."""

import json
from pathlib import Path


def write(path: Path, *rows: dict | str | bytes) -> Path:
    lines = [json.dumps(row) if isinstance(row, dict) else row for row in rows]
    path.write_bytes(b"".join((line.encode() if isinstance(line, str) else line) + b"\n" for line in lines))
    return path


def row(name: str, label: str = "1234", seconds: float = 1.0, **more: object) -> dict:
    return {"audio_filepath": name, "duration": seconds, "text": label, **more}
