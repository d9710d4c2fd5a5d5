"""Write locks of tables, as Snowflake has them.

In Snowflake an UPDATE, DELETE or MERGE locks its table until the transaction ends. Others who want the same wait, and then
see what was committed. DuckDB lets them fail with a conflict instead. So they wait here, before DuckDB hears of the
statement; it reads what was committed in between if it is the first of its transaction. An INSERT locks nothing.

A transaction whose client is idle, and may be dead, is rolled back when another waits for it.
"""

import asyncio
import time
from dataclasses import dataclass, field

from fakesnow.conn import FakeSnowflakeConnection
from fakesnow.dialect import parse_one
from snowflake.connector.errors import Error, ProgrammingError
from sqlglot import exp

# Snowflake waits for twelve hours unless LOCK_TIMEOUT is set, and lets a transaction that is waited for be idle for minutes.
WAIT_SECONDS = 60
IDLE_SECONDS = 5
POLL_SECONDS = 0.02

# DDL commits the transaction.
ENDS = (exp.Commit, exp.Rollback, exp.Create, exp.Drop, exp.Alter)


@dataclass
class Session:
    connection: FakeSnowflakeConnection
    in_transaction: bool = False
    aborted: bool = False
    busy: bool = False
    last_used: float = 0
    tables: set[tuple[str, ...]] = field(default_factory=set)


class TableLocks:
    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}
        self._owners: dict[tuple[str, ...], Session] = {}

    async def before(
        self, token: str, connection: FakeSnowflakeConnection, sql: str
    ) -> None:
        """Waits until a statement may run; `after` has to follow, whatever happens."""
        session = self._sessions.setdefault(token, Session(connection))
        session.busy = True
        statement = parsed(sql)
        if isinstance(statement, (exp.Transaction, exp.Rollback)):
            session.aborted = False
            session.in_transaction = isinstance(statement, exp.Transaction)
        if session.aborted:
            raise refusal("The transaction was rolled back: another waited for it.")
        if isinstance(statement, (exp.Update, exp.Delete, exp.Merge)):
            await self._take(session, written_table(statement, connection))

    def after(self, token: str, sql: str) -> None:
        session = self._sessions[token]
        session.busy = False
        session.last_used = time.monotonic()
        if isinstance(parsed(sql), ENDS):
            session.in_transaction = False
        if not session.in_transaction:
            self._release(session)

    def end(self, token: str) -> None:
        """Rolls back and lets go: the client has left."""
        if session := self._sessions.pop(token, None):
            self._abort(session)

    async def _take(self, session: Session, table: tuple[str, ...]) -> None:
        give_up = time.monotonic() + WAIT_SECONDS
        while (owner := self._owners.get(table, session)) is not session:
            now = time.monotonic()
            if not owner.busy and now - owner.last_used > IDLE_SECONDS:
                self._abort(owner)
            elif now > give_up:
                name = ".".join(table)
                raise refusal(f"Another transaction has locked table {name}.")
            else:
                await asyncio.sleep(POLL_SECONDS)
        self._owners[table] = session
        session.tables.add(table)

    def _abort(self, session: Session) -> None:
        if session.in_transaction:
            session.connection.rollback()
            session.in_transaction = False
            session.aborted = True
        self._release(session)

    def _release(self, session: Session) -> None:
        for table in session.tables:
            del self._owners[table]
        session.tables.clear()


def written_table(
    statement: exp.Expr, connection: FakeSnowflakeConnection
) -> tuple[str, ...]:
    table = statement.this
    database = table.catalog or connection.database or ""
    schema = table.db or connection.schema or ""
    # DuckDB tells no tables apart by case.
    return tuple(part.upper() for part in (database, schema, table.name))


def refusal(message: str) -> ProgrammingError:
    return ProgrammingError(msg=message, errno=625, sqlstate="57014")


def parsed(sql: str) -> exp.Expr | None:
    try:
        return parse_one(sql)
    except Error:
        return None
