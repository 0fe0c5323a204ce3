"""The parts of the detector of docs/detector.md: normal form, shapes, phrases."""
