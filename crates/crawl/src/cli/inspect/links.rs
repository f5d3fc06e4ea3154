//! `crawl inspect STORE links`: which of them, and what they were read from.

use clap::Args;
use crawl::store::inspect::{Ends, What};
use serde_json::Value;

use super::args::InspectArgs;
use crate::cli::failure::{Exit, Failure};
use crate::cli::progress::grouped;

/// Which links are asked for.
#[derive(Debug, Args)]
pub(crate) struct EndsArgs {
    /// Of links: all that lead to this URL, read from the archived pages (`store.bodies`). Links of
    /// pages without an archived body are not among them; how many there are is said.
    #[arg(long = "in", value_name = "URL", conflicts_with_all = ["url", "to_out", "all"])]
    to_in: Option<String>,
    /// Of links: all that the archived page of this URL has.
    #[arg(long = "out", value_name = "URL", conflicts_with_all = ["url", "all"])]
    to_out: Option<String>,
    /// Of links: all that any archived page has; with `--host`, any of that host.
    #[arg(long, conflicts_with = "url")]
    all: bool,
}

impl EndsArgs {
    pub(super) fn url(&self) -> Option<&String> {
        self.to_in.as_ref().or(self.to_out.as_ref())
    }

    pub(super) fn ends(&self) -> Ends {
        match (&self.to_in, &self.to_out) {
            (Some(_), _) => Ends::In,
            (_, Some(_)) => Ends::Out,
            _ if self.all => Ends::All,
            _ => Ends::First,
        }
    }

    /// Whether links are read from archived pages.
    pub(super) fn is_read(&self) -> bool {
        self.ends() != Ends::First
    }

    /// The columns of a table.
    pub(super) fn columns(&self) -> &'static [&'static str] {
        match self.ends() {
            Ends::First => &["way", "verdict", "url"],
            Ends::In | Ends::Out => &["way", "kind", "nofollow", "text", "url"],
            Ends::All => &["url", "to", "kind", "text"],
        }
    }
}

/// That only links have ends.
pub(super) fn check(args: &InspectArgs) -> Result<(), Failure> {
    if !args.ends.is_read() || args.what.0 == What::Links {
        return Ok(());
    }
    let what = "only links have `--in`, `--out` and `--all`";
    Err(Failure::new(Exit::Usage, what).hint("ask for them: `crawl inspect STORE links --in URL`"))
}

/// What a last row says of the pages that were read, for people; `None` if it is another row.
pub(super) fn covered(row: &Value) -> Option<String> {
    let covered = row.get("covered").filter(|_| row.get("kind").is_none())?;
    let n = |name: &str| covered[name].as_u64().unwrap_or(0);
    let mut text = format!("read {} archived pages", grouped(n("pages")));
    for (name, what) in [
        (
            "not_archived",
            "pages are not archived (`store.bodies`): their links are not among these",
        ),
        ("lost", "archived pages were lost to damage"),
        ("damaged", "of them cannot be read: see `crawl verify STORE`"),
    ] {
        if n(name) > 0 {
            text.push_str(&format!("; {} {what}", grouped(n(name))));
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_read_is_said_and_what_was_not() {
        let row = json!({"covered": {"pages": 1200, "not_archived": 0, "lost": 2}});
        let said = "read 1,200 archived pages; 2 archived pages were lost to damage";
        assert_eq!(covered(&row).as_deref(), Some(said));
        assert_eq!(covered(&json!({"url": "http://h/", "kind": "anchor"})), None);
    }
}
