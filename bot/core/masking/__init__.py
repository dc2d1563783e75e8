"""Finding and masking secrets in text. The rest of the program uses `redact`; the other modules are its rules.

Our own code, because scanners of source code report a line that has a secret, and filters of log records need structured
records. Here only the value is masked, in any notation and encoding, over chunk edges and several lines, while the log
streams. tests/core/data holds both sides: lines whose secrets must go, and ordinary lines of which at most 1% may change.
"""
