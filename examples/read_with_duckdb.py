"""Ask a registry's files questions in SQL, without objreg: run read_with_duckdb.sql and print what it finds.

The folder is a local one, or where the model is in a bucket:

    python examples/read_with_duckdb.py FOLDER_OF_THE_MODEL
"""

import json
import sys
from pathlib import Path

import duckdb

if __name__ == "__main__":
    folder = sys.argv[1].replace("'", "''")
    database = duckdb.connect()
    database.execute(f"SET VARIABLE folder = '{folder}'")
    for statement in duckdb.extract_statements(Path(__file__).with_suffix(".sql").read_text("utf-8")):
        found = database.execute(statement)
        if statement.type != duckdb.StatementType.SELECT:
            continue
        columns = [column[0] for column in found.description]
        for row in found.fetchall():
            print(json.dumps(dict(zip(columns, row, strict=True)), default=str))
