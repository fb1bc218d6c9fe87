"""Frames and numbers: grids, STFT, resampling, buffers, audio files."""
