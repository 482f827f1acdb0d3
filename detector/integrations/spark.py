"""The filter and the index of sites on a Spark cluster.

    spark-submit …/detector/integrations/spark.py filter IN… -o OUT
    spark-submit …/detector/integrations/spark.py sites IN… -o sites.parquet

IN is Parquet, or WARC and WET archives by path. Rows are those of the same commands on one machine, in no certain order.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from detector.batches import (
    archive_pages,
    archive_schema,
    filter_archives,
    filter_batches,
    filtered_schema,
    record_pages,
    see_batches,
)
from detector.judged import DEFAULT_JUDGING, Judging
from detector.labels import DEFAULT_POLICY, POLICIES
from detector.readers import DEFAULT_FIELDS, Fields
from detector.site_index import COUNT, row_schema

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def filter_frame(frame: DataFrame, judging: Judging = DEFAULT_JUDGING, fields: Fields = DEFAULT_FIELDS) -> DataFrame:
    """Judge the records of a frame, which has the columns that `fields` names; a row each.

    Raises
    ------
    InputError
        If it has no column with ids.
    """
    from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema

    schema = filtered_schema(to_arrow_schema(frame.schema), fields)
    shipped = _ship(frame.sparkSession, judging)

    def work(batches: Iterable[Any]) -> Iterator[Any]:
        return filter_batches(batches, _at_hand(shipped), fields, schema)

    return frame.mapInArrow(work, from_arrow_schema(schema))


def filter_paths(spark: SparkSession, paths: Sequence[str], judging: Judging = DEFAULT_JUDGING) -> DataFrame:
    """Judge the pages of WARC and WET archives, a task each; paths must be good on every worker, or URIs."""
    from pyspark.sql.pandas.types import from_arrow_schema

    shipped = _ship(spark, judging)

    def work(batches: Iterable[Any]) -> Iterator[Any]:
        return filter_archives(batches, _at_hand(shipped))

    return _frame_of(spark, paths).mapInArrow(work, from_arrow_schema(archive_schema()))


def index_frame(frame: DataFrame, fields: Fields = DEFAULT_FIELDS) -> DataFrame:
    """Count on how many pages of each site a block stands; written as Parquet, it is a table for `--sites`."""
    return _count(frame, lambda batches: record_pages(batches, fields))


def index_paths(spark: SparkSession, paths: Sequence[str]) -> DataFrame:
    """Count the same over the pages of archives."""
    return _count(_frame_of(spark, paths), archive_pages)


def _count(frame: DataFrame, pages: Any) -> DataFrame:
    from pyspark.sql.pandas.types import from_arrow_schema

    seen = frame.mapInArrow(lambda batches: see_batches(pages(batches)), from_arrow_schema(row_schema()))
    return frame.sparkSession.sql(COUNT.replace("from seen", "from {seen}"), seen=seen)


def _frame_of(spark: SparkSession, paths: Sequence[str]) -> DataFrame:
    rows = spark.sparkContext.parallelize([(path,) for path in paths], max(1, len(paths)))
    return spark.createDataFrame(rows, "path string")


def _ship(spark: SparkSession, judging: Judging) -> Judging:
    """Send a model's folder, cue files and the table of sites to the workers, where they are files of the driver."""
    for path in (judging.model, *judging.cues, judging.sites):
        if path and Path(path).exists():
            spark.sparkContext.addFile(str(path), recursive=Path(path).is_dir())
    return judging


def _at_hand(judging: Judging) -> Judging:
    """Name what was sent by where it lies on this worker."""
    from pyspark import SparkFiles

    def here(path: Any) -> Any:
        shipped = SparkFiles.get(Path(path).name) if path else ""
        return type(path)(shipped) if shipped and Path(shipped).exists() else path

    return judging._replace(model=here(judging.model), cues=tuple(map(here, judging.cues)), sites=here(judging.sites))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one of the two jobs."""
    from pyspark.sql import SparkSession, functions

    options = _parser().parse_args(arguments)
    spark = SparkSession.builder.appName(f"detector {options.job}").getOrCreate()
    fields = Fields((options.html_field,), id=options.id_field, url=options.url_field)
    archives = all(".warc" in path or ".wet" in path for path in options.paths)
    if options.job == "sites":
        found = index_paths(spark, options.paths) if archives else index_frame(_read(spark, options.paths), fields)
        found.write.parquet(options.output)
    else:
        judging = Judging(options.model, options.policy, tuple(options.cues), options.sites)
        if archives:
            rows = filter_paths(spark, options.paths, judging)
        else:
            rows = filter_frame(_read(spark, options.paths), judging, fields)
        dropped = functions.col("verdict") == "drop"
        rows = rows.withColumn("kind", functions.when(dropped, "rejects").otherwise("pages"))
        rows.write.partitionBy("kind").parquet(options.output)
    spark.stop()


def _read(spark: SparkSession, paths: Sequence[str]) -> DataFrame:
    return spark.read.parquet(*paths)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("job", choices=("filter", "sites"))
    parser.add_argument("paths", nargs="+", metavar="IN")
    parser.add_argument("-o", "--output", required=True)
    parser.add_argument("--html-field", default="html")
    parser.add_argument("--id-field", default="id")
    parser.add_argument("--url-field", default="url")
    parser.add_argument("--model")
    parser.add_argument("--policy", choices=POLICIES, default=DEFAULT_POLICY)
    parser.add_argument("--cues", type=Path, action="append", default=[])
    parser.add_argument("--sites", type=Path)
    return parser


if __name__ == "__main__":
    main()
