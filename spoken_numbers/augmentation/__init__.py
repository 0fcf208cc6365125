"""Perturbations of the waveform under NeMo's own names, and the proof that those of a config do something."""
