"""What a gate said as JUnit XML, which Jenkins, GitLab, GitHub's reporters and most pipelines show.

A suite an enhancer. A rule judged on the mean is one test case; one judged on clips is a case for each clip, and where
the share asked for is kept, the clips that do not keep it are told as skipped: a pipeline takes one failure for the
failure of all, and so must find one only where the gate failed. A clip of which nothing could be measured is an
error. The time of a suite is what the enhancer took, where that is known.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from xml.etree import ElementTree as ET

from unmuffle.measure.assurance.rules import RuleResult
from unmuffle.measure.assurance.verdicts import EnhancerVerdict, GateReport, Verdict
from unmuffle.signal.files.new_file import new_file

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_COUNTED = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def junit_xml(report: GateReport) -> bytes:
    """Return a report as an XML document in UTF-8."""
    root = ET.Element("testsuites", name="unmuffle qa")
    for item in report.enhancers:
        root.append(_suite(item))
    for name in ("tests", *_COUNTED):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    root.set("time", f"{sum(float(suite.get('time', '0')) for suite in root):.3f}")
    ET.indent(root)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def write_junit(report: GateReport, path: str | os.PathLike[str]) -> None:
    """Write a report as JUnit XML, whole or not at all; a file that is there is replaced.

    Raises
    ------
    AudioFileError
        If it cannot be written.
    """
    document = junit_xml(report)
    with new_file(path) as file:
        file.write(document)


def _suite(item: EnhancerVerdict) -> ET.Element:
    suite = ET.Element("testsuite", name=_clean(item.enhancer))
    for result in item.results:
        suite.extend(_cases(item, result))
    for verdict in item.unmeasured:
        suite.append(_case(item.enhancer, verdict.assessment.clip, "error", verdict.reason))
    suite.set("tests", str(len(suite)))
    for name, tag in _COUNTED.items():
        suite.set(name, str(len(suite.findall(f"testcase/{tag}"))))
    suite.set("time", f"{_seconds_taken(item.clips):.3f}")
    ET.SubElement(suite, "system-out").text = _clean("\n".join(_told(item)))
    return suite


def _cases(item: EnhancerVerdict, overall: RuleResult) -> Iterator[ET.Element]:
    rule = overall.rule
    if not overall.on_clips:
        yield _case(item.enhancer, rule.name, _tag(overall), overall.text)
        return
    for verdict in item.clips:
        result = next(found for found in verdict.results if found.rule == rule)
        if verdict.assessment.broken:
            continue
        tag = _tag(result)
        tolerated = tag == "failure" and overall.outcome != "failed"
        text = f"{result.text} (tolerated: {overall.text})" if tolerated else result.text
        yield _case(item.enhancer, f"{verdict.assessment.clip}: {rule.name}", "skipped" if tolerated else tag, text)


def _case(enhancer: str, name: str, tag: str | None, message: str) -> ET.Element:
    case = ET.Element("testcase", classname=_clean(enhancer), name=_clean(name), time="0.000")
    if tag is None:
        ET.SubElement(case, "system-out").text = _clean(message)
        return case
    found = ET.SubElement(case, tag, message=_clean(message))
    if tag != "skipped":
        found.set("type", "quality" if tag == "failure" else "unmeasured")
        found.text = _clean(message)
    return case


def _tag(result: RuleResult) -> str | None:
    return {"failed": "failure", "skipped": "skipped"}.get(result.outcome)


def _told(item: EnhancerVerdict) -> Iterator[str]:
    passed = sum(verdict.passed for verdict in item.clips)
    yield f"{passed} of {len(item.clips)} clips pass alone"
    for result in item.results:
        if result.outcome == "warned":
            yield f"warning: {result.text}"
    for verdict in item.worst:
        broken = "; ".join(result.text for result in verdict.results if result.broken)
        links = " ".join(verdict.assessment.after.files.values())
        yield f"worst: {verdict.assessment.clip}: {broken} {links}".rstrip()


def _seconds_taken(clips: Sequence[Verdict]) -> float:
    rows = [verdict.assessment.after for verdict in clips]
    return sum(row.seconds * row.values.get("real_time_factor", 0.0) for row in rows)


def _clean(text: str) -> str:
    """Replace what no XML document may hold, as names of files can."""
    return _NOT_IN_XML.sub("\ufffd", text)
