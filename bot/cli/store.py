"""`signalbox store copy|prepare`."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from pydantic import ValidationError

from bot import config
from bot.cli.exit_codes import CliError, Exit
from bot.core.ports.store import StoreAddress, StoreSettings
from bot.runtime.clock import SystemClock
from bot.store.copy import copy_store
from bot.store.errors import StoreProblem
from bot.store.open import is_there, open_store, prepare_database
from bot.store.store import Store

_WHERE = "into the environment variable PGPASSWORD"
Print = Callable[[str], None]


def copy(source: str, target: str, say: Print, *, rehearse: bool) -> int:
    """Copy a store into an empty one. The source is marked: a bot refuses to start with it."""
    addresses = [_address(url) for url in (source, target)]
    if not is_there(addresses[0]):
        raise CliError(Exit.NOT_DONE, f"{addresses[0].name}: no store found")
    if rehearse and not is_there(addresses[1]):
        raise CliError(Exit.MISUSED, "--dry-run needs an empty target that exists")
    new = addresses[1].url if addresses[1].shared else f"sqlite:///{addresses[1].url}"
    with ExitStack() as stack:
        stores = []
        for address in addresses:
            stores.append(_opened(address, into=address is addresses[1]))
            stack.callback(stores[-1].close_sync)
        copied = copy_store(stores[0], stores[1], new, SystemClock().now(), rehearse=rehearse)
    for name, count in copied.rows.items():
        say(f"{count:>9}  {name}")
    if rehearse:
        say("Nothing was changed (--dry-run). Everything can be copied.")
    else:
        say(f"Copied. Both audit logs are intact and have the head {copied.head or 'none'}.")
        say(f'Write url = "{new}" into [store], then start the bot.')
    return Exit.DONE


def prepare(config_path: Path, owner: str, say: Print) -> int:
    """Make the tables as their owner, and give the bot's user the rights that it needs."""
    address, _ = config.audit_log_of(config_path)
    owners = _address(owner)
    if not address.shared or not owners.shared:
        raise CliError(Exit.MISUSED, "this is for PostgreSQL: [store] url and OWNER_URL start with postgresql://")
    user = prepare_database(owners, address)
    say(f"The tables are ready. {user} may add to the audit log and read it, but not change it.")
    return Exit.DONE


def _opened(address: StoreAddress, *, into: bool) -> Store:
    """The open store. Raises CliError when it is to be copied `into`, and an earlier file or its head is in that place."""
    try:
        return open_store(address, exclusive=not address.shared)
    except StoreProblem as problem:
        if not into or problem.code not in ("store_moved", "store_rolled_back"):
            raise
    file = Path(address.url).name
    move = f"Move {file} and {file}.head away first, those of the two that are there."
    raise CliError(Exit.NOT_DONE, f"An earlier store is in the place of {file}. Nothing was copied. {move}")


def _address(url: str) -> StoreAddress:
    """The address of a URL. The password of a PostgreSQL user comes from PGPASSWORD or ~/.pgpass."""
    try:
        return config.store_address(StoreSettings(url=url), Path.cwd())
    except ValidationError as error:
        problem_text = error.errors(include_input=False)[0]["msg"].removeprefix("Value error, ")
        raise CliError(Exit.MISUSED, problem_text.replace("by reference, as `password`", _WHERE)) from None
