"""Training of the house networks: corpora, mixing, networks, losses, the trainer and the export to ONNX.

The only room that imports torch. Nothing is imported here, so that the command line can say in one line that torch
is missing; begin with ``unmuffle.train.trainer`` or with ``unmuffle train --help``.
"""
