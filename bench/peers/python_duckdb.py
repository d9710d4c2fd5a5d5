"""Peer of the job `core`: a script with DuckDB, pyarrow and onnxruntime that writes the same tables in one transaction."""

from job import Stopwatch, parse_arguments

clock = Stopwatch()

from publishing import KEEP, PUBLICATION, SCORE, SCORED_AT, constants, create, insert_quarantine, insert_summary, listed
from scoring import Scoring

arguments = parse_arguments()
scoring = Scoring(arguments)
values = constants(arguments, "core")
key = scoring.key()
traced = {name: kind for name, kind in PUBLICATION.items() if name != "window_label"}
columns = key | KEEP | SCORE | traced | SCORED_AT
clock.lap("start")

writer = scoring.connection.cursor()
writer.execute("BEGIN")
create(writer, "churn_scores", columns)
scored = scoring.reader()
writer.execute(f"INSERT INTO marketing.churn_scores SELECT {listed(columns, values)} FROM scored")
insert_quarantine(writer, key, scoring.rejected, values)
clock.lap("score")
insert_summary(
    writer,
    """SELECT country, plan, CASE WHEN churn_propensity >= 0.7 THEN 'high' ELSE 'low' END AS band,
        (churn_propensity * 1000000)::BIGINT AS millionths FROM marketing.churn_scores""",
    values,
)
writer.execute("COMMIT")
scoring.connection.close()
clock.lap("publish")
clock.print()
