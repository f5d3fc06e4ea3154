//! What is told of a lane: a row, of the columns that are asked for.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::figures::{Beside, Figures, Versus};
use super::lane::Lane;
use super::wget::Keeping;

/// A lane and its figures.
pub(crate) struct Row<'a> {
    lane: &'a Lane<'a>,
    figures: Figures,
    beside: Option<Beside>,
}

/// A column, as wide as its head or `width`.
struct Column {
    head: &'static str,
    width: usize,
    cell: fn(&Row<'_>) -> String,
}

/// Which columns there are.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Shown {
    pub(crate) is_json: bool,
    pub(crate) pages: bool,
    pub(crate) cores: bool,
    pub(crate) wget: [bool; Keeping::ALL.len()],
    pub(crate) bare: bool,
    pub(crate) counts: bool,
}

impl<'a> Row<'a> {
    /// `first`: the lane that it is compared with, if that is another one.
    pub(crate) fn new(lane: &'a Lane<'a>, figures: Figures, first: Option<&Lane<'_>>) -> Self {
        let beside = first.map(|first| Beside::of(&lane.rounds, &first.rounds));
        Self { lane, figures, beside }
    }

    fn pages(&self) -> u32 {
        self.lane.workload().market(self.lane.variant().pages).pages
    }

    fn json(&self) -> Value {
        let mut row = json!({
            "workload": self.lane.workload().name(),
            "spider": self.lane.spider().name(),
            "cores": self.lane.variant().cores,
            "pages_per_host": self.pages(),
        });
        if let (Some(row), Some(more)) = (row.as_object_mut(), self.figures.json().as_object_mut())
        {
            row.append(more);
            row.insert("beside_first".to_owned(), self.beside.map_or(Value::Null, Beside::json));
        }
        row
    }
}

impl Shown {
    /// Prints the heads of the columns.
    pub(crate) fn head(&self) -> io::Result<()> {
        if self.is_json {
            return Ok(());
        }
        self.line(|column| column.head.to_owned())
    }

    /// Prints a row, and how it compares with the first.
    pub(crate) fn row(&self, row: &Row<'_>) -> io::Result<()> {
        if self.is_json {
            return writeln!(io::stdout(), "{}", row.json());
        }
        self.line(|column| (column.cell)(row))?;
        let Some(Beside { cpu, speed, peak_rss_mib_more }) = row.beside else { return Ok(()) };
        writeln!(
            io::stdout(),
            "     beside the first: {cpu:.3} times its CPU a page, {speed:.3} times its pages/s, \
             peak {peak_rss_mib_more:+.1} MiB"
        )
    }

    fn line(&self, cell: impl Fn(&Column) -> String) -> io::Result<()> {
        let mut line = String::new();
        for column in self.columns() {
            let width = column.width.max(column.head.len());
            let cell = cell(&column);
            line += &match line.is_empty() {
                true => format!("{cell:<width$}"),
                false => format!(" {cell:>width$}"),
            };
        }
        writeln!(io::stdout(), "{line}")
    }

    fn columns(&self) -> Vec<Column> {
        let mut columns = Vec::new();
        let mut show = |is_shown: bool, head, width, cell| {
            if is_shown {
                columns.push(Column { head, width, cell });
            }
        };
        let [discard, files] = self.wget;
        show(true, "site", 4, |row| row.lane.workload().name().to_owned());
        show(true, "spider", 8, |row| row.lane.spider().name().to_owned());
        show(self.pages, "pages", 7, |row| row.pages().to_string());
        show(self.cores, "cores", 5, |row| row.lane.variant().cores.to_string());
        show(true, "pages/s", 9, |row| format!("{:.0}", row.figures.pages_per_second));
        show(true, "CPU ms/page", 11, |row| format!("{:.3}", row.figures.cpu_ms));
        show(discard, "wget2's", 8, |row| ms(row.figures.wget[0]));
        show(discard, "ratio", 7, |row| ratio(row.figures.wget[0]));
        show(files, "with files", 8, |row| ms(row.figures.wget[1]));
        show(files, "ratio", 7, |row| ratio(row.figures.wget[1]));
        show(self.bare, "scraper's", 9, |row| ms(row.figures.bare));
        show(self.bare, "over it", 7, |row| or_dash(row.figures.bare.map(|bare| bare.over_ms), 3));
        show(self.counts, "instr/page", 11, |row| {
            or_dash(row.figures.counts.map(|counts| counts.instructions), 0)
        });
        show(self.counts, "allocs/page", 11, |row| {
            or_dash(row.figures.counts.map(|counts| counts.allocations), 1)
        });
        show(true, "peak MiB", 9, |row| format!("{:.1}", row.figures.peak_rss_mib));
        show(true, "disk B/page", 11, |row| format!("{:.0}", row.figures.disk_bytes));
        show(true, "conns", 5, |row| row.figures.most_open.to_string());
        show(true, "site's CPU", 10, |row| format!("{:.3}", row.figures.site_ms));
        columns
    }
}

fn ms(versus: Option<Versus>) -> String {
    or_dash(versus.map(|versus| versus.cpu_ms), 3)
}

fn ratio(versus: Option<Versus>) -> String {
    or_dash(versus.map(|versus| versus.ratio), 3)
}

fn or_dash(figure: Option<f64>, digits: usize) -> String {
    figure.map_or("-".to_owned(), |figure| format!("{figure:.digits$}"))
}
