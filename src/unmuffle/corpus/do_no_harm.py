"""The gate for corpora that recognisers or voices are trained on: enhance where there is something to gain, else not.

Blind measures tell little of what an enhancer does to a recogniser. What told something: clips that are hardly noisy
get no better, and those that lose their treble get worse. Word errors by these rules, of the originals, and of
everything enhanced stand in docs/benchmarks.md (``python -m bench corpora``).
"""

from __future__ import annotations

from unmuffle.measure.assurance.gate import QualityGate
from unmuffle.measure.assurance.rules import Rule, Threshold

NOISY_BELOW_DB = 25.0
MOST_HIGH_BAND_LOSS_DB = 6.0
MOST_CLIPPING = 0.01


def do_no_harm() -> QualityGate:
    """Return the gate; a clip too short to be measured does not pass it.

    >>> [rule.name for rule in do_no_harm().rules]
    ['estimated SNR before', 'high-band loss', 'clipped share']
    """
    return QualityGate(
        (
            Rule((Threshold("estimated_snr_db", "before", maximum=NOISY_BELOW_DB),), required=True),
            Rule((Threshold("high_band_loss_db", maximum=MOST_HIGH_BAND_LOSS_DB),)),
            Rule((Threshold("clipping_share", maximum=MOST_CLIPPING),)),
        )
    )
