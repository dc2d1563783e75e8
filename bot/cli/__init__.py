"""The command line: `signalbox run`, `do`, `why`, `check`, `audit`, `policy`, `store`, `manifest`, `demo`."""
