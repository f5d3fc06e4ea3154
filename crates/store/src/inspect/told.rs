//! Answers about what servers told the crawl: robots.txt files and cookies.

use crawl_model::{CookieChange, RobotsReply};
use serde_json::{Value, json};

use super::Emit;
use super::filter::{Filter, Has};
use crate::{Reader, StoreError};

pub(super) fn robots(
    reader: &Reader,
    filter: &Filter<'_>,
    emit: Emit<'_>,
) -> Result<(), StoreError> {
    let what = "robots.txt files have no status and no verdict here";
    filter.refuse(Has { url: true, answer: false }, what)?;
    let wanted = filter.url.as_ref().map(|url| url.origin());
    for reply in reader.robots_replies() {
        let (origin, reply, fetched_ms) = reply?;
        let is_wanted = wanted.as_ref().is_none_or(|wanted| *wanted == origin);
        if !is_wanted || !filter.has_host(origin.host().as_str()) {
            continue;
        }
        let mut row = json!({"fetched_ms": fetched_ms});
        match reply {
            RobotsReply::Rules(body) => {
                row["says"] = "rules".into();
                row["bytes"] = body.len().into();
                if wanted.is_some() {
                    row["text"] = String::from_utf8_lossy(&body).into();
                }
            }
            RobotsReply::AllowAll => row["says"] = "allow-all".into(),
            RobotsReply::Unreachable { cause, .. } => {
                row["says"] = "unreachable".into();
                row["cause"] = cause.into();
            }
            RobotsReply::Redirect(_) => continue,
        }
        row["origin"] = origin.to_string().into();
        if filter.has_fields(&row) && emit(row).is_break() {
            break;
        }
    }
    Ok(())
}

pub(super) fn cookies(
    reader: &Reader,
    filter: &Filter<'_>,
    emit: Emit<'_>,
) -> Result<(), StoreError> {
    filter
        .refuse(Has { url: false, answer: false }, "cookies are asked for with `--where` only")?;
    for cookie in reader.cookies() {
        let CookieChange { key, cookie: Some(cookie) } = cookie? else { continue };
        let row = cookie_row(&key, &cookie).ok_or_else(|| StoreError::corrupt("cookie"))?;
        if filter.has_fields(&row) && emit(row).is_break() {
            break;
        }
    }
    Ok(())
}

/// Where it is sent, its name, and the rest of it. Both texts are the fetcher's: the key is jar,
/// domain (with a dot before it if it is for subdomains too), path and name.
fn cookie_row(key: &str, cookie: &str) -> Option<Value> {
    let [jar, domain, path, name]: [String; 4] = serde_json::from_str(key).ok()?;
    let Value::Object(rest) = serde_json::from_str(cookie).ok()? else { return None };
    let mut row = json!({"domain": domain, "path": path, "name": name});
    if !jar.is_empty() {
        row["jar"] = jar.into();
    }
    row.as_object_mut()?.extend(rest);
    Some(row)
}
