"""`python -m bot` is `signalbox`."""

from bot.cli import main

raise SystemExit(main())
