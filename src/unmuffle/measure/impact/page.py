"""An impact report as a page of its own that needs nothing else."""

from __future__ import annotations

import os
from html import escape
from importlib.resources import files

from unmuffle.measure.impact.report import ImpactReport
from unmuffle.measure.impact.section import impact_section
from unmuffle.signal.files.new_file import encoded, new_file

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def write_impact_html(report: ImpactReport, path: str | os.PathLike[str]) -> None:
    """Write a report as a page, whole or not at all; a file that is there already is replaced.

    Raises
    ------
    AudioFileError
        If it cannot be written.
    """
    section = impact_section(report)
    style = (files("unmuffle.measure.report") / "templates" / "report.css").read_text("utf-8")
    about = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>" for name, text in report.about.items())
    title = "Impact of enhancement"
    html = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<header class="top"><p class="eyebrow">unmuffle</p><h1>{title}</h1><dl class="about">{about}</dl></header>
<main>
<section aria-labelledby="impact-title" style="margin-top:1rem">
<h2 id="impact-title">{escape(section.title)}</h2>
{section.html}
</section>
</main>
</body>
</html>
"""
    with new_file(path) as file:
        file.write(encoded(html))
