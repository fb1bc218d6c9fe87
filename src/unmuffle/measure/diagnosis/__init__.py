"""What is wrong with a recording, and which chain of stages treats it."""

from unmuffle.measure.diagnosis.diagnose import diagnose, diagnose_file
from unmuffle.measure.diagnosis.finding import Diagnosis, Finding
from unmuffle.measure.diagnosis.own_chain import OwnChain, with_own_chain

__all__ = ["Diagnosis", "Finding", "OwnChain", "diagnose", "diagnose_file", "with_own_chain"]
