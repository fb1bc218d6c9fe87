"""What is wrong with a recording, and which chain of stages treats it."""

from unmuffle.measure.diagnosis.diagnose import diagnose, diagnose_file
from unmuffle.measure.diagnosis.finding import Diagnosis, Finding

__all__ = ["Diagnosis", "Finding", "diagnose", "diagnose_file"]
