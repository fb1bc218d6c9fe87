"""Results shown and stored: in the terminal, as JSON lines, as tables, and as a page."""

from unmuffle.measure.report.html import Section, write_html
from unmuffle.measure.report.jsonl import read_jsonl, write_jsonl
from unmuffle.measure.report.table import write_csv, write_parquet
from unmuffle.measure.report.terminal import print_table

__all__ = [
    "Section",
    "print_table",
    "read_jsonl",
    "write_csv",
    "write_html",
    "write_jsonl",
    "write_parquet",
]
