"""`python -m bot` is `signalbox`."""

from bot.cli.main import main

raise SystemExit(main())
