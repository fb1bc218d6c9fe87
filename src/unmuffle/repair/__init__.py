"""Repair of what is not noise: clipping, clicks, hum, rumble, harsh sibilants, reverberation."""
