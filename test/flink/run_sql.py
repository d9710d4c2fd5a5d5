"""Runs a script of Flink SQL in this process, statement after statement, and waits for its job.

Usage: run_sql.py SCRIPT [JAR]. Statements end with `;` and an empty line. `SET` is a statement of Flink's SQL client.
"""

import re
import sys

from pyflink.common import Configuration
from pyflink.table import EnvironmentSettings, TableEnvironment


def main() -> None:
    script, jars = sys.argv[1], sys.argv[2:]
    with open(script, encoding="utf-8") as file:
        statements = [text.strip() for text in file.read().split(";\n\n")]
    settings = Configuration()
    settings.set_string("parallelism.default", "2")
    # A fault ends the job, which otherwise is tried again without end.
    settings.set_string("restart-strategy.type", "disable")
    if jars:
        settings.set_string("pipeline.jars", ";".join(f"file://{jar}" for jar in jars))
    table = TableEnvironment.create(EnvironmentSettings.new_instance().in_streaming_mode().with_configuration(settings).build())
    for statement in statements:
        option = re.fullmatch(r"SET '([^']*)' = '([^']*)';?", statement)
        if option:
            table.get_config().set(option[1], option[2])
        elif statement:
            table.execute_sql(statement.removesuffix(";") if not statement.startswith("EXECUTE") else statement).wait()


main()
