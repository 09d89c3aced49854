"""The invented municipality without its dirt, as plain UTF-8 files, read by other means than the library's own."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import polars as pl

FOLDER = Path(__file__).parents[2] / "examples" / "hundred-days"
CSV = {
    "units": ["units.csv"],
    "quotas": ["quotas.csv"],
    "claims": ["evidence/claims.csv"],
    "arrivals": ["evidence/arrivals-1.csv", "evidence/arrivals-2.csv"],
    "staff": ["evidence/staff.csv"],
    "rates": ["evidence/rates.csv"],
}
BOOK = "evidence/projects.xlsx"
SHEETS = {
    "projects": (
        "项目",
        (
            "project name unit sector contracted signed_on declared_on recognised_on refused_on refusal_reason"
            " started_on producing_on revoked_on remark"
        ),
    ),
    "visits": ("现场评估", "visit project visited_on assessed_amount"),
}
IN_WAN = ("contracted", "assessed_amount")
Row = dict[str, str]


def write_cleaned(folder: Path) -> None:
    """Write the workspace to a folder, one CSV per table, without the rows that `dirt.csv` says go to quarantine."""
    with (FOLDER / "dirt.csv").open(encoding="utf-8", newline="") as file:
        faults = [row for row in csv.DictReader(file) if row["reported"] == "quarantine"]
    tables = {table: [row for name in names for row in _csv_rows(name, faults)] for table, names in CSV.items()}
    tables |= {table: _sheet_rows(table, faults) for table in SHEETS}
    for table, rows in tables.items():
        columns = list(dict.fromkeys(name for row in rows for name in row if name not in ("telephone", "remark")))
        with (folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, restval="", extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)
    config = (FOLDER / "kpi.toml").read_text(encoding="utf-8")
    listed = "[tables]\n" + "".join(f'{table} = "{table}.csv"\n' for table in tables)
    cleaned = re.sub(r"\[tables\].*(?=\[plugins\])", listed + "\n", config, flags=re.DOTALL)
    (folder / "kpi.toml").write_text(cleaned, encoding="utf-8")


def _csv_rows(name: str, faults: list[Row]) -> list[Row]:
    faulty = {int(fault["row"]) for fault in faults if fault["file"] == name}
    encoding = "gb18030" if name.endswith("arrivals-2.csv") else "utf-8-sig"
    with (FOLDER / name).open(encoding=encoding, newline="") as file:
        return [row for line, row in enumerate(csv.DictReader(file), start=2) if line not in faulty]


def _sheet_rows(table: str, faults: list[Row]) -> list[Row]:
    sheet, columns = SHEETS[table]
    faulty = {int(fault["row"]) for fault in faults if fault["table"] == table}
    frame = pl.read_excel(FOLDER / BOOK, sheet_name=sheet, has_header=False, infer_schema_length=None)
    rows = [dict(zip(columns.split(), values, strict=False)) for values in frame.rows()]
    return [
        {name: _cell(name, value) for name, value in row.items()}
        for line, row in enumerate(rows[1:], start=2)
        if line not in faulty
    ]


def _cell(name: str, value: Any) -> str:  # noqa: ANN401 (whatever a workbook holds)
    text = "" if value is None else str(value)
    if text and name.endswith("_on"):
        return text[:10]
    return text + "万" if text and name in IN_WAN else text
