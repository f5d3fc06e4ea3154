//! `crawl plugin`: what a plugin is, and whether it can be used.

use std::io::{self, Write};
use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crawl::feeds::stdout;
use crawl::parser::check_spider;
use crawl::plugin::{self, About, PluginError};
use crawl::spider::{Args, Spider};

use super::args::{PluginArgs, PluginCheckArgs, PluginCommand};
use super::failure::{Exit, Failure, unless_closed};
use super::reload::reload;

/// Does what the command says.
pub(crate) fn plugin(args: &PluginArgs) -> Result<(), Failure> {
    match &args.command {
        PluginCommand::Check(args) => check(args),
        PluginCommand::Reload(args) => reload(args),
    }
}

/// Builds, loads and describes a plugin. What it is, is told even if its spider cannot be made.
fn check(args: &PluginCheckArgs) -> Result<(), Failure> {
    let mut told = crawl::Config::default();
    told.set_spider_args(&args.args)?;
    let told = told.spider.map(|spider| spider.args).unwrap_or_default();
    stdout::keep().map_err(|error| Failure::new(Exit::Broken, error))?;
    let library = plugin::find(&args.path)?;
    let about = plugin::inspect(&library)?;
    unless_closed(describe(&about))?;
    let spider = plugin::load(&library, &told)?;
    unless_closed(describe_spider(&spider, &told))?;
    check_spider(&spider).map_err(|error| Failure::new(Exit::Usage, error))
}

fn describe(about: &About) -> io::Result<()> {
    let About { path, size_bytes, name, version, abi, sdk, rustc, .. } = about;
    let mut out = stdout::lines();
    writeln!(out, "plugin    {name} {version}")?;
    writeln!(out, "library   {} ({} KiB)", path.display(), size_bytes.div_ceil(1024))?;
    writeln!(out, "built     with crawl-spider {sdk}, plugin ABI {abi}, {rustc}")?;
    let panics = if about.unwinds { "end the page" } else { "end the process" };
    writeln!(out, "panics    {panics}")
}

fn describe_spider(spider: &dyn Spider, args: &Args) -> io::Result<()> {
    let mut out = stdout::lines();
    let told = if args.is_empty() { String::new() } else { format!(", told {args}") };
    writeln!(out, "spider    {}{told}", spider.name())?;
    for query in spider.wants() {
        let place = query.select.as_deref().unwrap_or("the page");
        let fields = query.fields.len();
        let plural = if fields == 1 { "" } else { "s" };
        writeln!(out, "wants     {place}: {fields} field{plural}")?;
    }
    for expression in spider.expressions() {
        writeln!(out, "uses      {expression}")?;
    }
    if let Some(step) = spider.item_step() {
        writeln!(out, "step      items go through `{}`", step.name())?;
    }
    if let Some(step) = spider.request_step() {
        writeln!(out, "step      requests go through `{}`", step.name())?;
    }
    match catch_unwind(AssertUnwindSafe(|| statuses(spider))) {
        Ok(ranges) => writeln!(out, "statuses  {}", list(&ranges)),
        Err(_) => writeln!(out, "statuses  unknown: it panics when it is asked"),
    }
}

/// The statuses that a spider wants.
fn statuses(spider: &dyn Spider) -> Vec<RangeInclusive<u16>> {
    let mut ranges: Vec<RangeInclusive<u16>> = Vec::new();
    for status in (100..600).filter(|&status| spider.wants_status(status)) {
        match ranges.last_mut() {
            Some(last) if *last.end() + 1 == status => *last = *last.start()..=status,
            _ => ranges.push(status..=status),
        }
    }
    ranges
}

fn list(ranges: &[RangeInclusive<u16>]) -> String {
    let text = |range: &RangeInclusive<u16>| match (range.start(), range.end()) {
        (start, end) if start == end => start.to_string(),
        (start, end) => format!("{start} to {end}"),
    };
    let texts: Vec<_> = ranges.iter().map(text).collect();
    if texts.is_empty() { "none".to_owned() } else { texts.join(", ") }
}

impl From<PluginError> for Failure {
    fn from(error: PluginError) -> Self {
        let hint = error.hint();
        let failure = Self::new(Exit::Usage, error);
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}
