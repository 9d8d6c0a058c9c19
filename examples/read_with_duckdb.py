"""Ask a registry's files questions in SQL, without objreg: run read_with_duckdb.sql and print what it finds.

FOLDER is the model's: registry/medical/tumor.model, or s3://bucket/prefix/medical/tumor.model:

    python examples/read_with_duckdb.py FOLDER
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
