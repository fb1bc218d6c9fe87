"""Where models run: on the CPU, or on a GPU that ONNX Runtime has a provider for."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, get_args

from unmuffle.errors import InvalidParameterError, ModelRuntimeError, one_line

Device: TypeAlias = Literal["auto", "cpu", "gpu"]

CPU_PROVIDER = "CPUExecutionProvider"
GPU_PROVIDERS = (
    "CUDAExecutionProvider",
    "MIGraphXExecutionProvider",
    "ROCMExecutionProvider",
    "DmlExecutionProvider",
)
"""Of ONNX Runtime's builds for GPUs, the best first."""

_chosen: Device = "cpu"


def run_models_on(device: Device) -> None:
    """Choose for this process where models run that are loaded from now on; on the CPU unless this is called.

    Parameters
    ----------
    device : {"auto", "cpu", "gpu"}
        ``"auto"`` is a GPU if the ONNX Runtime that is installed has a provider for one.

    Raises
    ------
    InvalidParameterError
        If it is something else.
    """
    global _chosen
    _chosen = check_device(device)


def check_device(device: str) -> Device:
    """Return a device.

    Raises
    ------
    InvalidParameterError
        If it is none of those there are.
    """
    if device not in get_args(Device):
        raise InvalidParameterError(f"device is {device!r}; it must be one of {', '.join(get_args(Device))}")
    return device  # type: ignore[return-value]  # checked above


def providers(runtime: Any, device: Device | None = None) -> tuple[str, ...]:
    """Return the execution providers that ONNX Runtime is to try, in this order.

    Parameters
    ----------
    runtime : module
        ``onnxruntime``.
    device : {"auto", "cpu", "gpu"}, optional
        That which was chosen for this process unless given.

    Raises
    ------
    ModelRuntimeError
        If a GPU was asked for and there is no provider for one.
    """
    device = device or _chosen
    there = runtime.get_available_providers()
    found = () if device == "cpu" else tuple(name for name in GPU_PROVIDERS if name in there)
    if device == "gpu" and not found:
        raise ModelRuntimeError(
            f"ONNX Runtime {runtime.__version__} has no provider for a GPU, only {', '.join(there)}: install a build "
            "that has, such as onnxruntime-gpu in place of onnxruntime, or run on the CPU"
        )
    return (*found, CPU_PROVIDER)


def check_gpu() -> None:
    """Check that models can run on a GPU.

    Raises
    ------
    ModelRuntimeError
        If ONNX Runtime is missing or has no provider for one.
    """
    try:
        import onnxruntime
    except (ImportError, OSError) as error:
        raise ModelRuntimeError(f"a GPU needs ONNX Runtime, which cannot be loaded: {one_line(error)}") from error
    providers(onnxruntime, "gpu")
