//! Fetches one page as a crawl would, for commands that take a URL.

use std::path::PathBuf;

use clap::Args;
use crawl::engine::{LookEnd, Looked, Session};
use crawl::{CanonicalUrl, Config, Request, Verdict};

use crate::cli::failure::{Exit, Failure};

/// How URLs are fetched.
#[derive(Debug, Args)]
pub(crate) struct SettingsArgs {
    /// A crawl's TOML file: its tables `fetch` and `politeness` hold.
    #[arg(long, value_name = "CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Set a key of the config, such as `-s fetch.user-agent=...`.
    #[arg(short, long = "set", value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
}

/// A page that was fetched.
pub(crate) struct Visited {
    /// Where it was found after all redirects.
    pub(crate) url: CanonicalUrl,
    /// Its body, content codings removed.
    pub(crate) body: bytes::Bytes,
    /// Its `Content-Type`.
    pub(crate) content_type: Option<String>,
}

/// Fetches `url`, following redirects as far as the settings allow.
pub(crate) async fn visit(url: CanonicalUrl, settings: &SettingsArgs) -> Result<Visited, Failure> {
    let looked = look(url, settings).await?;
    if let Some(failure) = failure(&looked) {
        return Err(failure);
    }
    let Looked { url, response: Some(response), .. } = looked else {
        return Err(Failure::new(Exit::Broken, "no response came"));
    };
    if !(200..300).contains(&response.status) {
        eprintln!("warning: {url} answered with status {}", response.status);
    }
    let content_type = response.header("content-type").map(str::to_owned);
    Ok(Visited { url, body: response.body, content_type })
}

/// Fetches `url`, whatever comes of it.
pub(crate) async fn look(url: CanonicalUrl, settings: &SettingsArgs) -> Result<Looked, Failure> {
    let config = match &settings.config {
        Some(path) => Config::load(path, &settings.set)?,
        None => Config::parse("defaults", "", &settings.set)?,
    };
    let session = Session::new(&config.into_crawl_config(false)?);
    let session = session.map_err(|error| Failure::new(Exit::Usage, error))?;
    Ok(session.fetch(Request::get(url)).await)
}

/// Why no response came, with the next step; `None` if one did.
pub(crate) fn failure(looked: &Looked) -> Option<Failure> {
    let url = &looked.url;
    let hint = match &looked.end {
        LookEnd::Came(_) => return None,
        LookEnd::Disallowed => Some("`-s politeness.robots=false` does not ask"),
        LookEnd::Failed { verdict, .. } => match verdict {
            Verdict::PrivateAddress => Some("`-s fetch.allow-private-addresses=true` allows it"),
            Verdict::TooManyRedirects => Some("`-s fetch.max-redirects=N` follows more"),
            Verdict::RobotsUnreachable => Some("`-s politeness.robots=false` does not ask for it"),
            Verdict::ContentType => Some("`-s fetch.content-types=[]` takes any"),
            _ => None,
        },
    };
    let what = match &looked.end {
        LookEnd::Failed { verdict, detail } => format!("{url}: {verdict}: {detail}"),
        _ => format!("robots.txt of {} disallows {url}", url.origin()),
    };
    let failure = Failure::new(Exit::Broken, what);
    Some(match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    })
}
