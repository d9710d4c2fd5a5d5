"""Peer of the job `bench`, all of the weekly job: scores with ranks, report, summary, quarantine in one transaction; CSV."""

from job import WINDOW, Stopwatch, parse_arguments

clock = Stopwatch()

from publishing import KEEP, MODEL, PLACE, PUBLICATION, SCORE, SCORED_AT, constants, create, insert_quarantine, insert_summary, listed
from scoring import Scoring

arguments = parse_arguments()
scoring = Scoring(arguments)
values = constants(arguments, "bench")
key = scoring.key()
own = key | KEEP | SCORE
clock.lap("start")

writer = scoring.connection.cursor()
scored = scoring.reader()
# Sorted once, and kept in that order, so a rank is a position in this table. Created outside the transaction, in which rows have
# no positions yet.
writer.execute("SET preserve_insertion_order = true")
writer.execute("CREATE TEMP TABLE ranked AS SELECT * FROM scored ORDER BY churn_propensity DESC, user_id")
clock.lap("score and rank")

(users,) = writer.execute("SELECT count(*) FROM ranked").fetchone()
ranked = "(SELECT *, rowid + 1 AS rank FROM ranked)"
values |= {
    "percentile": f"100 - ((rank - 1) * 100) // {users}",
    "decile": f"((rank - 1) * 10) // {users} + 1",
    "band": f"CASE WHEN (rank - 1) * 10 < {users} THEN 'high' WHEN (rank - 1) * 10 < {3 * users} THEN 'medium' ELSE 'low' END",
}
writer.execute("SET preserve_insertion_order = false")
writer.execute("BEGIN")
for table, columns in [
    ("churn_scores", own | PLACE | PUBLICATION | MODEL | SCORED_AT),
    ("churn_report", own | PLACE | PUBLICATION),
]:
    create(writer, table, columns)
    writer.execute(f"INSERT INTO marketing.{table} SELECT {listed(columns, values)} FROM {ranked}")
insert_quarantine(writer, key, scoring.rejected, values)
insert_summary(
    writer,
    f"SELECT country, plan, {values['band']} AS band, (churn_propensity * 1000000)::BIGINT AS millionths FROM {ranked}",
    {name: value for name, value in values.items() if name != "band"},
)
writer.execute("COMMIT")
clock.lap("publish")

reports = arguments.data / "reports"
reports.mkdir(exist_ok=True)
shown = {"window_label": "VARCHAR"} | own | PLACE
cells = ", ".join(f"{values.get(name, name)} AS {name}" for name in shown)
# All threads write, in the order of the table.
writer.execute("SET preserve_insertion_order = true")
writer.execute(f"COPY (SELECT {cells} FROM {ranked}) TO '{reports / f'bench-{WINDOW}.csv'}' (HEADER)")
scoring.connection.close()
clock.lap("report")
clock.print()
