//! `crawl robots`: what a robots.txt says of URLs, and the sitemaps it names.

use std::collections::HashSet;
use std::path::PathBuf;

use clap::Args;
use crawl::CanonicalUrl;
use crawl::parser::plumbing;
use crawl_robots::{MAX_BYTES, Robots, Rules, product_token};
use serde::Serialize;
use serde_json::Number;

use super::output::Lines;
use super::source::{self, web_url};
use crate::cli::failure::{Exit, Failure, unless_closed};

#[derive(Debug, Args)]
pub(crate) struct RobotsArgs {
    /// The robots.txt; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Who asks: a product token such as `ExampleBot`, or `*`.
    #[arg(
        long,
        value_name = "AGENT",
        required_unless_present = "sitemaps",
        allow_hyphen_values = true,
        value_parser = agent
    )]
    pub(crate) agent: Option<String>,
    /// Absolute URLs, or paths that begin with `/`; `-`: one a line from standard input. Dot
    /// segments are compared as they stand; `crawl url normalize` resolves them.
    #[arg(value_name = "URL", required_unless_present = "sitemaps")]
    pub(crate) urls: Vec<String>,
    /// List the sitemaps that the file names instead.
    #[arg(long, conflicts_with_all = ["agent", "urls"])]
    pub(crate) sitemaps: bool,
    /// The file's own URL: sitemaps are resolved against it and normalised. Without it they are
    /// printed as they are written.
    #[arg(long, value_name = "URL", requires = "sitemaps", value_parser = web_url)]
    pub(crate) base: Option<CanonicalUrl>,
}

/// What is said of a URL.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct UrlVerdict<'a> {
    /// As it was asked.
    url: &'a str,
    /// `None` for what is neither a URL nor a path.
    allowed: Option<bool>,
    /// Seconds; `None` if the agent's group has none.
    crawl_delay: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// A sitemap that is named.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct SitemapLine {
    /// `None` if the line holds no URL.
    sitemap: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Prints a line per URL or per sitemap.
pub(crate) fn robots(args: &RobotsArgs) -> Result<(), Failure> {
    if source::is_stdin(&args.file) && args.urls.iter().any(|url| url == "-") {
        let what = "standard input cannot be both the robots.txt and the list of URLs";
        return Err(Failure::new(Exit::Usage, what).hint("name a file with `--file`"));
    }
    // One byte more tells whether the limit cuts something off.
    let bytes = source::read_at_most(&args.file, MAX_BYTES + 1)?;
    if bytes.len() > MAX_BYTES {
        eprintln!("warning: only the first {MAX_BYTES} bytes are read, as in a crawl");
    }
    let robots = Robots::parse(&bytes);
    if args.sitemaps {
        return Lines::write_all(sitemaps(&robots, args.base.as_ref()).into_iter());
    }
    let rules = robots.rules(args.agent.as_deref().unwrap_or("*"));
    let mut out = Lines::new();
    for url in &args.urls {
        if url == "-" {
            source::each_line(|line| unless_closed(out.push(&judge(&rules, line))))?;
        } else {
            unless_closed(out.push(&judge(&rules, url)))?;
        }
    }
    unless_closed(out.flush())
}

fn judge<'a>(rules: &Rules, url: &'a str) -> UrlVerdict<'a> {
    let (allowed, error) = match allows(rules, url) {
        Ok(allowed) => (Some(allowed), None),
        Err(error) => (None, Some(error)),
    };
    let crawl_delay = rules.crawl_delay().filter(|_| error.is_none()).and_then(number);
    UrlVerdict { url, allowed, crawl_delay, error }
}

fn allows(rules: &Rules, url: &str) -> Result<bool, String> {
    if url.starts_with('/') {
        return Ok(rules.allows(url));
    }
    // The parser says whether it is a URL; the path is taken as it stands, like one given alone.
    let parsed = CanonicalUrl::parse(url).map_err(|error| match url.contains(':') {
        true => error.to_string(),
        false => "neither an absolute URL nor a path that begins with `/`".to_owned(),
    })?;
    Ok(rules.allows(written_path(url).unwrap_or(parsed.path_and_query())))
}

/// The path of `scheme://authority/path` as it is written; `None` if it is written otherwise.
fn written_path(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    let is_scheme = scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    let path = rest.find(['/', '?', '#', '\\']).map_or("", |at| &rest[at..]);
    let is_plain = is_scheme && !rest.starts_with(['/', '\\']) && !path.starts_with('\\');
    // White space is cut off or out by the rules of URLs.
    (is_plain && !url.contains(char::is_whitespace)).then_some(path)
}

/// Whole numbers without a fraction, as they are mostly written.
fn number(seconds: f64) -> Option<Number> {
    const EXACT: f64 = (1_u64 << 53) as f64;
    if seconds.fract() == 0.0 && seconds < EXACT {
        return Some(Number::from(seconds as u64));
    }
    Number::from_f64(seconds)
}

fn sitemaps(robots: &Robots, base: Option<&CanonicalUrl>) -> Vec<SitemapLine> {
    let mut seen = HashSet::new();
    let line = |written: &String| {
        let Some(base) = base else {
            return SitemapLine { sitemap: Some(written.clone()), error: None };
        };
        let answer = plumbing::normalize(written, Some(base.as_str()));
        let error = answer.error.map(|error| format!("`{written}`: {error}"));
        SitemapLine { sitemap: answer.url, error }
    };
    let lines = robots.sitemaps().iter().map(line);
    lines.filter(|line| line.sitemap.as_ref().is_none_or(|url| seen.insert(url.clone()))).collect()
}

fn agent(text: &str) -> Result<String, String> {
    match product_token(text) {
        "" => Err("write a product token, such as ExampleBot, or *".to_owned()),
        token => Ok(token.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, path: Option<&str>) {
        assert_eq!(written_path(url), path, "{url}");
    }

    #[test]
    fn the_path_of_a_url_is_taken_as_it_is_written() {
        check("http://h/a/../b?c#d", Some("/a/../b?c#d"));
        check("HTTP://u:p@h:8/%7e", Some("/%7e"));
        check("http://h", Some(""));
        check("http://h?q", Some("?q"));
        check("http:h/a", None);
        check("http:///h/a", None);
        check("http://h\\a", None);
        check(" http://h/a", None);
        check("http:h/?u=http://o/x", None);
    }

    #[test]
    fn whole_numbers_have_no_fraction() {
        for (seconds, text) in [(5.0, "5"), (0.0, "0"), (1.5, "1.5"), (1e300, "1e+300")] {
            assert_eq!(number(seconds).unwrap().to_string(), text);
        }
    }
}
