"""Whether audio may ship: assessment of a clip, thresholds, history, and the statistics they share."""
