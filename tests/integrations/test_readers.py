"""pandas, pyarrow and DuckDB read objreg:// paths, and of a large file only what they need."""

import io
from collections.abc import Callable

import duckdb
import fsspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import dataset
from pyarrow.fs import FileType, FSSpecHandler, PyFileSystem

import objreg
from objreg.integrations.fsspec_filesystem import ObjregFileSystem
from objreg.store.wrappers import CountingStore

ROWS = 400_000
COLUMNS = 12
PATH = "fraud/clf@production/features.parquet"
URL = f"objreg://{PATH}"


def table(rows: int = ROWS, columns: int = COLUMNS) -> pa.Table:
    """Return random numbers, which nothing compresses, and a column that counts."""
    chance = np.random.default_rng(0)
    return pa.table({"id": np.arange(rows)} | {f"c{n}": chance.random(rows) for n in range(columns)})


def parquet(found: pa.Table, row_group_size: int = 50_000) -> bytes:
    sink = io.BytesIO()
    pq.write_table(found, sink, row_group_size=row_group_size, compression="none", use_dictionary=False)
    return sink.getvalue()


@pytest.fixture(scope="module")
def large() -> tuple[pa.Table, bytes]:
    """A table and its Parquet file of 40 MB: two parts, eight row groups of 13 columns, 400 kB a piece."""
    made = table()
    data = parquet(made)
    assert len(data) > 40_000_000
    return made, data


@pytest.fixture
def production(
    large: tuple[pa.Table, bytes], registry: objreg.Registry, push: Callable[..., objreg.Version]
) -> pa.Table:
    """The large file in a version in production, beside a dataset in two files; returns its table."""
    small = {f"days/day={day}/part.parquet": parquet(table(100 * day, 1)) for day in (1, 2)}
    version = push({"features.parquet": large[1], "data.csv": b"x,y\n1,2\n3,4\n"} | small)
    registry.define_state("production")
    registry.set_state(version, "production")
    return large[0]


def test_pandas(production: pa.Table, fs: ObjregFileSystem, counting: CountingStore) -> None:
    """A column of a large file is a fraction of its bytes."""
    fs.info(PATH)
    counting.reset()
    with fs.open(PATH) as opened:
        frame = pd.read_parquet(opened, columns=["c3"])
    assert (frame["c3"].to_numpy() == production["c3"].to_numpy()).all()
    assert counting.counts["bytes_read"] < 6_000_000


def test_pandas_by_url(push_to_folder: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The mark of a version survives on its way: a Parquet file, a partitioned folder, CSV, with options or configured."""
    small = {f"days/day={day}/part.parquet": parquet(table(100 * day, 1)) for day in (1, 2)}
    made = table(1000, 2)
    url = push_to_folder({"features.parquet": parquet(made), "data.csv": b"x,y\n1,2\n3,4\n"} | small)
    options = {"registry": url}
    for spec in ("fraud/clf@production", "fraud/clf:1.0", "fraud/clf@latest"):
        frame = pd.read_parquet(f"objreg://{spec}/features.parquet", storage_options=options)
        assert frame.equals(made.to_pandas())
    assert pd.read_csv("objreg://fraud/clf:1.0/data.csv", storage_options=options)["y"].tolist() == [2, 4]
    monkeypatch.setenv("OBJREG_URL", url)
    digest = objreg.open().resolve("fraud/clf").digest
    assert pd.read_parquet(f"objreg://fraud/clf@{digest}/features.parquet").equals(made.to_pandas())
    days = pd.read_parquet("objreg://fraud/clf@production/days")
    assert days.groupby("day", observed=True)["id"].count().to_dict() == {1: 100, 2: 200}
    with pytest.raises(FileNotFoundError):
        pd.read_parquet("objreg://fraud/clf@production/none.parquet")


def test_pyarrow_reads_the_footer_and_the_chunks_that_it_needs(
    production: pa.Table, fs: ObjregFileSystem, counting: CountingStore
) -> None:
    """Opening takes one request for the footer, a column of a row group one for its bytes."""
    fs.info(PATH)
    counting.reset()
    with fs.open(PATH) as opened:
        found = pq.ParquetFile(opened)
        assert found.metadata.num_rows == ROWS
        assert counting.requests == 1
        assert counting.counts["bytes_read"] <= 2 * 64 * 1024
        counting.reset()
        group = found.read_row_group(3, columns=["c5"])
        assert group["c5"].equals(pa.chunked_array([production["c5"].combine_chunks()[150_000:200_000]]))
        assert counting.requests <= 2
        assert counting.counts["bytes_read"] < 600_000


def test_pyarrow_takes_it_for_a_file_system(
    production: pa.Table, fs: ObjregFileSystem, counting: CountingStore
) -> None:
    """With its handler for fsspec: files, folders, and datasets in many files."""
    wrapped = PyFileSystem(FSSpecHandler(fs))
    info = wrapped.get_file_info(["fraud/clf@production", PATH, "fraud/clf@production/none"])
    assert [found.type for found in info] == [FileType.Directory, FileType.File, FileType.NotFound]
    assert info[1].size == fs.size(PATH)
    counting.reset()
    found = pq.read_table(PATH, filesystem=wrapped, columns=["c1", "id"])
    assert found["c1"].equals(production["c1"])
    assert counting.counts["bytes_read"] < 10_000_000
    days = dataset.dataset("fraud/clf@production/days", filesystem=wrapped, partitioning="hive")
    assert days.count_rows() == 300
    assert days.to_table(filter=dataset.field("day") == 2).num_rows == 200


def test_duckdb(production: pa.Table, fs: ObjregFileSystem, counting: CountingStore) -> None:
    """In SQL, by URL and by pattern; only the columns of a query are fetched."""
    with duckdb.connect() as database:
        database.register_filesystem(fs)
        fs.info(PATH)
        counting.reset()
        found = database.sql(f"select count(*), sum(id), max(c7) from '{URL}'").fetchall()
        assert found == [(ROWS, ROWS * (ROWS - 1) // 2, max(production["c7"].to_pylist()))]
        assert counting.counts["bytes_read"] < 15_000_000
        counting.reset()
        assert database.sql(f"select c2 from '{URL}' where id = 123456").fetchall() == [
            (production["c2"][123456].as_py(),)
        ]
        assert counting.counts["bytes_read"] < 3_000_000
        pattern = "objreg://fraud/clf@production/days/*/*.parquet"
        query = (
            f"select day, count(*) from read_parquet('{pattern}', hive_partitioning = true) group by day order by day"
        )
        assert database.sql(query).fetchall() == [(1, 100), (2, 200)]
        assert database.sql("select count(*) from 'objreg://fraud/clf:*/days/day=1/*.parquet'").fetchall() == [(100,)]
        assert database.sql("select sum(y) from 'objreg://fraud/clf:1.0/data.csv'").fetchall() == [(6,)]


def test_duckdb_by_url(push_to_folder: Callable[..., str]) -> None:
    """The file system that fsspec makes from options is the one that DuckDB takes."""
    url = push_to_folder({"features.parquet": parquet(table(1000, 1))})
    with duckdb.connect() as database:
        database.register_filesystem(fsspec.filesystem("objreg", registry=url))
        assert database.sql(f"select count(*) from '{URL}'").fetchall() == [(1000,)]
