"""What stands in the way of trading an account, seen without making or holding anything."""

from __future__ import annotations

import logging

from src.app.proposing.inputs import Books
from src.base.errors import JournalError, Refused
from src.base.settings import Settings
from src.core.orders.ref import order_prefix
from src.io.files.lock import current_holder
from src.io.files.state_dir import journal_exists, journal_path, lock_path, state_dir

log = logging.getLogger(__name__)


def glance_at_books(settings: Settings, *, is_simulated: bool) -> Books:
    """The account's lock and journal as they are now; a journal is opened only if there is one."""
    account = settings.ibkr.account_id
    directory = state_dir(is_simulated=is_simulated)
    prefix = order_prefix(is_simulated=is_simulated)
    books = Books(order_prefix=prefix, lock_holder=current_holder(lock_path(directory, account)))
    if is_simulated:  # a new embedded gateway starts afresh: nothing earlier concerns it
        return books
    path = journal_path(directory, account)
    try:
        if not journal_exists(path):
            return books
        from src.app.books.account_books import with_journal

        return with_journal(books, path, account)
    except (JournalError, Refused) as error:
        log.warning("the order journal cannot be read; --confirm would be refused: %s", error)
        return books
