"""Make the example `hundred-days`: one invented year of an invented municipality, with the dirt of real files.

    python examples/hundred-days/make.py [folder]      # default: the folder of this script

Everything follows from the seed: the same bytes on every machine, the workbook the same by content. `dirt.csv` lists
every planted fault. `kpi.toml` and `README.md` are written by hand and stay as they are.
"""

from __future__ import annotations

import csv
import datetime as dt
import sys
from dataclasses import astuple, fields
from pathlib import Path

import xlsxwriter  # type: ignore[import-untyped]
from invent import (
    YEAR_START,
    Dirt,
    Draw,
    Holder,
    Project,
    Row,
    Table,
    make_holders,
    make_projects,
    make_quotas,
    make_rates,
    make_staff,
    make_units,
    make_vouchers,
    move_staff,
    project_row,
    row_of,
    text,
    visits_of,
    wan,
    yuan,
)

SEED = 20111108
FIRST_OVER = 31
BOOK = "evidence/projects.xlsx"
SHEETS = {"projects": "项目", "visits": "现场评估"}
HEADERS = {
    "projects": "项目编号 项目名称 单位 行业 合同金额(万元) 签约日期 申报日期 认定日期"
    " 不予认定日期 不予认定理由 开工日期 投产日期 撤销日期 备注",
    "visits": "评估编号 项目编号 评估日期 评估金额（万元）",
}
PROJECT = ["project", "name", "unit", "sector", "contracted", "signed_on", "declared_on", "recognised_on", "refused_on"]
PROJECT += ["refusal_reason", "started_on", "producing_on", "revoked_on", "remark"]
FIRST_HALF = ["voucher", "project", "amount", "currency", "arrived_on", "year", "payer"]
SECOND_HALF = [*FIRST_HALF, "recorded_on", "revoked_on"]
JULY = dt.date(2011, 7, 1)


class Files:
    """Every table of the workspace, before it is written."""

    def __init__(self, seed: int) -> None:
        self.draw = draw = Draw(seed)
        self.staff, heads = make_staff(draw)
        move_staff(draw, self.staff)
        self.holders: list[Holder] = make_holders(draw)
        self.units, self.quotas = make_units(heads), make_quotas(self.holders)
        projects = make_projects(draw, self.holders)
        make_vouchers(draw, self.holders)
        self.rates = make_rates(draw)
        self.projects = Table(BOOK, "projects", PROJECT)
        self.claims = Table("evidence/claims.csv", "claims", ["project", "unit", "share"])
        self.first = Table("evidence/arrivals-1.csv", "arrivals", FIRST_HALF)
        self.second = Table("evidence/arrivals-2.csv", "arrivals", SECOND_HALF)
        self.visits = Table(BOOK, "visits", ["visit", "project", "visited_on", "assessed_amount"])
        self.other: list[Dirt] = []
        self._fill(projects)
        self._dirty(projects)

    @property
    def tables(self) -> list[Table]:
        """The tables in the order of `kpi.toml`."""
        return [
            self.units,
            self.quotas,
            self.projects,
            self.claims,
            self.first,
            self.second,
            self.visits,
            self.staff,
            self.rates,
        ]

    def dirt(self) -> list[Dirt]:
        """Every planted fault."""
        return [fault for table in self.tables for fault in table.dirt()] + self.other

    def _fill(self, projects: list[Project]) -> None:
        for number, project in enumerate(projects):
            used = {row["name"] for row in self.projects.rows}
            over = number % 90 == FIRST_OVER and bool(project.vouchers)
            self.projects.add(*project_row(self.draw, project, used, over=over), None)
            if over:
                self._note("findings", "projects", project.id, "more arrived than was contracted")
            if project.state == "refused":
                self._note("no credit", "projects", project.id, "refused, yet vouchers were handed in")
            for unit, share in project.claims:
                self.claims.add(project.id, unit, share)
        self._fill_arrivals(projects)
        visits = sorted(
            (on, project.id, amount) for project in projects for on, amount in visits_of(self.draw, project)
        )
        for number, (on, project_id, amount) in enumerate(visits, start=1):
            self.visits.add(f"S{number:04d}", project_id, on, amount / 100)

    def _fill_arrivals(self, projects: list[Project]) -> None:
        vouchers = sorted((on, project.id, amount) for project in projects for on, amount in project.vouchers)
        firms = {str(row["project"]): str(row["name"]).removesuffix("项目") + "有限公司" for row in self.projects.rows}
        for number, (on, project, amount) in enumerate(vouchers, start=1):
            currency, shown = self._money(on, amount)
            row = [f"V{number:05d}", project, shown, currency, on, "", firms[project]]
            if on < JULY:
                self.first.add(*row)
            else:
                self.second.add(*row, on + dt.timedelta(days=self.draw.between(0, 14)), "")

    def _money(self, on: dt.date, amount: int) -> tuple[str, str]:
        """Currency and amount as written: one voucher in twenty is foreign; yuan are written in 万 or in full."""
        if not self.draw.chance(5):
            return "", yuan(amount) if self.draw.chance(30) else wan(amount)
        currency = self.draw.one(["USD", "USD", "HKD", "EUR"])
        month_end = on.replace(day=1) - dt.timedelta(days=1)
        rate = next(str(r["rate"]) for r in self.rates.rows if (r["currency"], r["on"]) == (currency, month_end))
        cents = amount * 100 * 100 * 10000 // int(rate.replace(".", ""))
        return currency, f"{cents // 100}.{cents % 100:02d}"

    def _note(self, reported: str, table: str, key: str, what: str, file: str = BOOK) -> None:
        self.other.append(Dirt(file, table, "", "", "", key, reported, what))

    def _dirty(self, projects: list[Project]) -> None:
        some = [project.id for project in projects if project.state == "recognised" and not project.claims]
        self._dirty_arrivals(some)
        self._dirty_projects()
        self._dirty_visits(some)
        self._dirty_rest()

    def _dirty_arrivals(self, some: list[str]) -> None:
        draw, first, second = self.draw, self.first, self.second
        self._lawful_oddities(some)
        for row in [first.rows[n] for n in (40, 333, 702)]:
            first.repeat(draw, row, "voucher", "the same voucher entered twice")
        for row in [second.rows[n] for n in (25, 480, 911)]:
            second.repeat(draw, row, "voucher", "the same voucher entered twice")
        for table, n in ((first, 515), (second, 650)):
            row = table.rows[n]
            key = str(row["voucher"])
            other = {**row, "project": next(project for project in some[n % 40 :] if project != row["project"])}
            table.blame(row, "voucher", "one voucher handed in for two projects", key)
            table.plant(draw, other, "voucher", "one voucher handed in for two projects", key)
        on = dt.date(2011, 5, 18)
        for number, (column, value, what) in enumerate(
            [
                ("amount", "-120万", "a negative amount (a reversal belongs in revoked_on)"),
                ("amount", "约300万", "an amount that is no number"),
                ("amount", "12345.678", "an amount with a fraction of a fen"),
                ("amount", "", "no amount"),
                ("project", "J9999", "an unknown project"),
                ("project", "JO012", "an unknown project: the letter O for a zero"),
                ("arrived_on", "2011-02-30", "a date that does not exist"),
                ("arrived_on", "五月中旬", "a date in words"),
                ("arrived_on", "", "no date"),
                ("currency", "JPY", "a currency without a rate"),
            ]
        ):
            for table in (first, second):
                key = f"V9{number}{1 if table is first else 2:02d}"
                day = on if table is first else on.replace(month=10)
                row = row_of(
                    table, key, some[number], "200万", "", day, "", "未具名", *([""] * (len(table.columns) - 7))
                )
                row[column] = value
                table.plant(draw, row, column, what, key)

    def _lawful_oddities(self, some: list[str]) -> None:
        """Readable, yet not counted: vouchers of 2010, one claimed by last year, one for next year, one withdrawn."""
        for number in range(6):
            on = dt.date(2010, 12, 5 + 4 * number)
            self.first.rows.insert(
                number, row_of(self.first, f"V800{number:02d}", some[number], "80万", "", on, "", "未具名")
            )
        self._note("problems", "arrivals", "6 rows", "vouchers that arrived before the year", self.first.file)
        on = dt.date(2011, 1, 6)
        self.first.add("V80006", some[6], "300万", "", on, "2010", "未具名")
        day = dt.date(2012, 1, 18)
        self.second.add("V80007", some[7], "300万", "", day, "2012", "未具名", day, "")
        day = dt.date(2011, 9, 8)
        self.second.add("V80008", some[8], "500万", "", day, "", "未具名", day, dt.date(2011, 11, 3))

    def _dirty_projects(self) -> None:
        table, last = self.projects, self.projects.rows[-1]
        for number, (column, value, what) in enumerate(
            [
                ("unit", "financ", "an unknown unit: a letter is missing"),
                ("unit", "市财政局", "an unknown unit: the name for the id"),
                ("unit", None, "no unit"),
                ("signed_on", "2011-06-31", "a date that does not exist"),
                ("recognised_on", "待定", "a date in words"),
                ("contracted", "面议", "an amount that is no number"),
                ("contracted", -500, "a negative amount"),
            ]
        ):
            key = f"J8{number:03d}"
            row = {**last, "project": key, "unit": "finance", "contracted": 800, column: value}
            table.plant(self.draw, row, column, what, key)
        table.repeat(self.draw, table.rows[60], "project", "the same project entered twice")
        twin = {**last, "project": "J8900", "unit": "water", "contracted": 900}
        table.plant(self.draw, twin, "project", "one project id for two projects", "J8900")
        table.plant(self.draw, {**twin, "unit": "grain"}, "project", "one project id for two projects", "J8900")
        for number, row in enumerate([table.rows[20], table.rows[150]]):
            unseen = {"declared_on": dt.date(2011, 11, 20), "recognised_on": None, "refused_on": None}
            table.add(*{**row, "project": f"J880{number}", "unit": "urban", **unseen}.values())
            self._note("findings", "projects", f"J880{number}", f"what {row['project']} is, declared once more")
        self._note("problems", "projects", "备注", "a column the table does not have")

    def _dirty_visits(self, some: list[str]) -> None:
        table = self.visits
        for number, (column, value, what) in enumerate(
            [
                ("project", "J0000", "an unknown project"),
                ("visited_on", "2011-09-31", "a date that does not exist"),
                ("assessed_amount", -20, "a negative amount"),
                ("assessed_amount", "合格", "an amount that is no number"),
                ("assessed_amount", None, "no amount"),
            ]
        ):
            key = f"S90{number:02d}"
            row = row_of(table, key, some[number], dt.date(2011, 9, 20), 150)
            row[column] = value
            table.plant(self.draw, row, column, what, key)
        table.repeat(self.draw, table.rows[200], "visit", "the same visit entered twice")
        for number in range(2):
            table.add(f"S800{number}", some[number], dt.date(2010, 12, 20 + number), 60)
        self._note("problems", "visits", "2 rows", "visits before the year")

    def _dirty_rest(self) -> None:
        draw = self.draw
        partly = next(str(row["project"]) for row in self.claims.rows if row["share"] == "0.3")
        row = row_of(self.claims, partly, "watr", "0.2")
        self.claims.plant(draw, row, "unit", "a claim of an unknown unit", partly)
        row = row_of(self.claims, "J7777", "water", "0.5")
        self.claims.plant(draw, row, "project", "a claim on an unknown project", "J7777")
        columns = self.staff.columns
        for number, (column, value, what) in enumerate(
            [
                ("unit", "市档案馆", "an unknown unit"),
                ("component", "-480.00", "a negative amount"),
                ("component", "四百八", "an amount that is no number"),
                ("from_on", "2011.13.01", "a date that does not exist"),
            ]
        ):
            values = [
                f"P9{number:03d}",
                "未具名",
                "archives",
                "staff",
                "contract",
                "480.00",
                "1800.00",
                YEAR_START,
                None,
            ]
            row = dict(zip(columns, values, strict=True))
            row[column] = value
            self.staff.plant(draw, row, column, what, f"P9{number:03d}")
        self._note("problems", "units", "telephone", "a column the table does not have", "units.csv")
        for unit, day, what in [
            ("parks", dt.date(2010, 12, 20), "a quota set before the year began"),
            ("housing", dt.date(2011, 5, 1), "a revision below a later one"),
        ]:
            line = 2 + [(row["unit"], row["effective"]) for row in self.quotas.rows].index((unit, day))
            self.other.append(Dirt("quotas.csv", "quotas", line, "effective", str(day), unit, "problems", what))


def write_csv(path: Path, columns: list[str], rows: list[Row], encoding: str = "utf-8") -> None:
    """One table as CSV with the line ends of Unix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([text(row[column]) for column in columns] for row in rows)


def write_book(path: Path, tables: list[Table]) -> None:
    """The workbook: Chinese headers, real dates, amounts in 万元 as numbers; its date of creation is fixed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with xlsxwriter.Workbook(path) as book:
        book.set_properties({"title": "invented", "created": dt.datetime(2011, 12, 31)})  # noqa: DTZ001 - a workbook knows no zones
        style = book.add_format({"num_format": "yyyy-mm-dd"})
        for table in tables:
            sheet = book.add_worksheet(SHEETS[table.table])
            sheet.write_row(0, 0, HEADERS[table.table].split())
            for line, row in enumerate(table.rows, start=1):
                for column, value in enumerate(row.values()):
                    if isinstance(value, dt.date):
                        sheet.write_datetime(line, column, value, style)
                    elif value is not None:
                        sheet.write(line, column, value)


def make(folder: Path, seed: int = SEED) -> Files:
    """Write all files of the example into a folder and return what was written."""
    files = Files(seed)
    encodings = {"evidence/arrivals-2.csv": "gb18030", "evidence/staff.csv": "utf-8-sig"}
    for table in files.tables:
        if table.file != BOOK:
            write_csv(folder / table.file, table.columns, table.rows, encodings.get(table.file, "utf-8"))
    write_book(folder / BOOK, [files.projects, files.visits])
    columns = [field.name for field in fields(Dirt)]
    write_csv(folder / "dirt.csv", columns, [dict(zip(columns, astuple(fault), strict=True)) for fault in files.dirt()])
    return files


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
