"""What a manifest check found, in words."""

from collections import Counter
from collections.abc import Iterator

from tqdm import tqdm

from spoken_numbers.cli import report_made
from spoken_numbers.manifest_check import Check, Summary, refuse_to_overwrite, write_good

WIDEST_BAR = 40
LONGEST_LABEL = 24


def report(check: Check, fix: bool) -> int:
    """Print every fault as it is found, then a summary of each manifest, and with ``fix`` write the good rows.

    Returns:
        Exit status: 0 only when nothing is wrong, before any fixing.
    """
    if fix:
        refuse_to_overwrite(check.manifests)
    for fault in check:
        tqdm.write(str(fault))  # goes above the progress bar
    for summary in check.summaries:
        print("\n".join(summary_lines(summary)))
    if fix:
        for summary in check.summaries:
            _fix(summary)
    return 1 if any(summary.faults for summary in check.summaries) else 0


def summary_lines(summary: Summary) -> Iterator[str]:
    """Utterances, hours, speakers, styles, label lengths, faults by kind and the good rows that remain."""
    speakers = f", {len(summary.speakers)} speakers" if summary.speakers else ""
    yield f"{summary.path}: {summary.utterances} utterances, {summary.seconds / 3600:.2f} h{speakers}"
    styles = [f"{style or 'unknown'} {count}" for style, count in summary.styles.most_common(12)]
    if any(summary.styles):
        yield f"  styles: {', '.join(styles)}{', …' if len(summary.styles) > 12 else ''}"
    if summary.label_lengths:
        yield "  symbols per label:"
        yield from (f"    {bar}" for bar in bars(summary.label_lengths))
    if not summary.faults:
        yield "  no faults"
        return
    total, bad = summary.faults.total(), summary.left_out.total()
    yield f"  {total} {'fault' if total == 1 else 'faults'} in {bad} {'row' if bad == 1 else 'rows'}:"
    yield from (f"    {count:7d}  {kind}" for kind, count in summary.faults.most_common())
    yield f"  {summary.good} good rows of {summary.rows} remain"


def bars(lengths: Counter[int]) -> Iterator[str]:
    """One bar per length that occurs; what exceeds ``LONGEST_LABEL`` shares the last."""
    shown: Counter[int] = Counter()
    for length, count in lengths.items():
        shown[min(length, LONGEST_LABEL)] += count
    most = max(shown.values())
    for length, count in sorted(shown.items()):
        name = f"{length}+" if length == LONGEST_LABEL else str(length)
        yield f"{name:>3} {'█' * max(1, round(WIDEST_BAR * count / most))} {count}"


def _fix(summary: Summary) -> None:
    made = write_good(summary)
    if made is not None:
        report_made([made])
    elif summary.faults:
        print(f"{summary.path}: no good row is left, nothing written")
    else:
        print(f"{summary.path}: nothing to fix")
