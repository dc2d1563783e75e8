"""Programs of a reader's machine, for the tests of the pages. They do what can be seen, and refuse what the real ones refuse.

Each is the program of its name on the PATH. The folder in the environment variable SYSTEM stands for the machine's own files: its
users in `passwd`, units in `units/`, services in `services/`.
"""
