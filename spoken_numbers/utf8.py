"""Text and the names of files are UTF-8, whatever the locale says."""

import os
import sys
from io import TextIOWrapper


def use_utf8() -> None:
    """Begin this process anew in Python's UTF-8 mode where it is in another; print as escapes what cannot be shown.

    Libraries read their own files, and take arguments for engines, in what the locale says.
    """
    if sys.getfilesystemencoding() != "utf-8":
        os.environ["PYTHONUTF8"] = "1"
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file name may hold bytes that the terminal cannot show
