"""Repair of what is not noise: clipping, clicks, hum, rumble, harsh sibilants, reverberation."""

from unmuffle.repair.declick import Click, Declicker, declick, find_clicks
from unmuffle.repair.declip import ClippedRun, Declipper, declip, find_clipped
from unmuffle.repair.deesser import DeEsser, deess
from unmuffle.repair.dehum import Dehummer, HumHarmonic, dehum
from unmuffle.repair.dehum_finding import FoundHum, find_hum
from unmuffle.repair.deplosive import Deplosive, deplosive
from unmuffle.repair.dereverb import dereverb
from unmuffle.repair.highpass import HighPass, high_pass
from unmuffle.repair.late_reverb import LateReverbSuppressor, suppress_late_reverb
from unmuffle.repair.wpe import Wpe, wpe
from unmuffle.repair.wpe_offline import WpeOffline, wpe_offline

__all__ = [
    "Click",
    "ClippedRun",
    "DeEsser",
    "Declicker",
    "Declipper",
    "Dehummer",
    "Deplosive",
    "FoundHum",
    "HighPass",
    "HumHarmonic",
    "LateReverbSuppressor",
    "Wpe",
    "WpeOffline",
    "declick",
    "declip",
    "deess",
    "dehum",
    "deplosive",
    "dereverb",
    "find_clicks",
    "find_clipped",
    "find_hum",
    "high_pass",
    "suppress_late_reverb",
    "wpe",
    "wpe_offline",
]
