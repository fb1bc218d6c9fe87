"""Peak memory of a process that a test starts."""

PEAK_MB = '''
def peak_mb():
    """Return the largest memory this process has had resident, in MB."""
    import pathlib, sys
    status = pathlib.Path("/proc/self/status")
    if status.exists():
        # What getrusage tells begins at the peak of the process that started this one.
        return next(int(line.split()[1]) / 1024 for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    import resource
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024**2 if sys.platform == "darwin" else peak / 1024
'''
"""Source that a script is begun with; it then prints ``peak_mb()``."""
