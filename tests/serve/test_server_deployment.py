"""What lies in deploy/ names options and pages that there are, and asks for what a careful operator asks."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from unmuffle.cli.app import app
from unmuffle.serve.routes_health import OPENAPI

DEPLOY = Path(__file__).parents[2] / "deploy"


@pytest.fixture(scope="module")
def parts() -> dict[str, dict]:
    return {part["kind"]: part for part in yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text())}


@pytest.fixture(scope="module")
def options() -> set[str]:
    command = get_command(app).get_command(None, "serve")
    return {name for parameter in command.params for name in parameter.opts}


def test_the_pod(parts, options):
    pod = parts["Deployment"]["spec"]["template"]["spec"]
    container = pod["containers"][0]
    assert {word for word in container["args"] if word.startswith("--")} <= options
    for probe in ("readinessProbe", "livenessProbe", "startupProbe"):
        assert container[probe]["httpGet"]["path"] in OPENAPI
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert pod["securityContext"]["runAsNonRoot"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    drain_s = float(container["args"][container["args"].index("--drain-s") + 1])
    waiting_s = float(container["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pod["terminationGracePeriodSeconds"] > drain_s + waiting_s + 10.0
    mounted = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert "/tmp" in mounted


def test_the_autoscaler_goes_by_the_streams_of_a_pod(parts):
    autoscaler = parts["HorizontalPodAutoscaler"]["spec"]
    pods = autoscaler["metrics"][0]["pods"]
    assert pods["metric"]["name"] == "unmuffle_streams"
    arguments = parts["Deployment"]["spec"]["template"]["spec"]["containers"][0]["args"]
    assert float(pods["target"]["averageValue"]) < float(arguments[arguments.index("--capacity") + 1])
    assert autoscaler["scaleTargetRef"]["name"] == parts["Deployment"]["metadata"]["name"]


def test_the_image(options):
    text = re.sub(r"\\\n\s*", " ", (DEPLOY / "Dockerfile").read_text())
    lines = [line.split(" ", 1) for line in text.splitlines() if line and not line.startswith("#")]
    assert [words for name, words in lines if name == "FROM"] == ["python:3.12-slim AS build", "python:3.12-slim"]
    users = [words for name, words in lines if name == "USER"]
    assert users == ["10001:10001"]
    assert [name for name, _ in lines].index("USER") < [name for name, _ in lines].index("ENTRYPOINT")
    assert any(name == "HEALTHCHECK" and "/healthz" in words for name, words in lines)
    said = [word.strip('[],"') for name, words in lines if name in ("ENTRYPOINT", "CMD") for word in shlex.split(words)]
    assert {word for word in said if word.startswith("--")} <= options
