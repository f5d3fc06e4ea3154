//! What a running crawl can be told through its socket, and what it says to that.
//!
//! An order is answered when it has taken effect, in one row of JSON: what was and what is. What
//! each does is the [`Handle`]'s; here it is only read and put into words.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, TryLockError};

use crawl_frontier::Setting;
use crawl_spider::Spider;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::runtime;

use crate::error::CrawlError;
use crate::handle::Handle;

/// What a running crawl can be told to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Order {
    /// Take a new build of the plugin and go on with it.
    ReloadPlugin {
        /// Another plugin than the one it began with; absolute, for the crawl may run elsewhere.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        path: Option<PathBuf>,
    },
    /// See [`Handle::pause`].
    Pause,
    /// See [`Handle::resume`].
    Resume,
    /// See [`Handle::close`].
    Stop,
    /// See [`Handle::add_seeds`]. If one is no URL, none is added.
    Add {
        /// Whole URLs, a few hundred at most: the line of an order has its limit.
        urls: Vec<String>,
    },
    /// See [`Handle::block`].
    Block {
        /// A host or domain.
        host: String,
    },
    /// See [`Handle::unblock`].
    Unblock {
        /// A host or domain.
        host: String,
    },
    /// See [`Handle::set`] and [`Handle::set_for`].
    Set {
        /// What it is to be.
        setting: Setting,
        /// For this host only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        host: Option<String>,
    },
    /// Say what is in force. See [`Handle::status`].
    Status,
}

/// Makes the crawl's spider anew: of the plugin at this path, or of that which it began with.
/// Blocks, for as long as a build takes.
pub type Reload = dyn Fn(Option<&Path>) -> Result<Arc<dyn Spider>, Box<dyn std::error::Error + Send + Sync>>
    + Send
    + Sync;

/// Who obeys.
pub(crate) struct Steered {
    pub(crate) handle: Handle,
    /// Held while a spider is made, so that of two orders the second is refused.
    reload: Option<Mutex<Arc<Reload>>>,
}

impl Steered {
    pub(crate) fn new(handle: Handle, reload: Option<Arc<Reload>>) -> Self {
        Self { handle, reload: reload.map(Mutex::new) }
    }

    /// Does what it is told, and says in one row what was done. Blocks; to be called on a
    /// blocking thread of the crawl's runtime.
    pub(crate) fn obey(&self, order: Order) -> Result<Value, String> {
        if let Order::ReloadPlugin { path } = &order {
            return self.reload(path.as_deref());
        }
        runtime::Handle::current().block_on(self.steer(order)).map_err(|error| chain(&error))
    }

    fn reload(&self, path: Option<&Path>) -> Result<Value, String> {
        let reload = self.reload.as_ref().ok_or("its spider is no plugin")?;
        // Poisoned, if the making of a spider panicked; that says nothing of the next.
        let reload = match reload.try_lock() {
            Ok(reload) => reload,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                return Err("it is at a reload already".to_owned());
            }
        };
        let spider = reload(path).map_err(|error| chain(&*error))?;
        let name = spider.name().to_owned();
        self.handle.replace_spider(spider).map_err(|error| chain(&error))?;
        Ok(json!({ "order": "reload-plugin", "spider": name }))
    }

    async fn steer(&self, order: Order) -> Result<Value, CrawlError> {
        let handle = &self.handle;
        Ok(match order {
            Order::ReloadPlugin { .. } => Value::Null, // obeyed before
            Order::Pause => {
                let was = standing(handle.pause().await?);
                let in_flight = handle.stats().in_flight;
                json!({ "order": "pause", "was": was, "is": "paused", "in_flight": in_flight })
            }
            Order::Resume => {
                let was = standing(handle.resume().await?);
                json!({ "order": "resume", "was": was, "is": "running" })
            }
            Order::Stop => {
                let was = match handle.is_closing() {
                    true => "closing",
                    false => standing(handle.is_paused()),
                };
                handle.close();
                let in_flight = handle.stats().in_flight;
                json!({ "order": "stop", "was": was, "is": "closing", "in_flight": in_flight })
            }
            Order::Add { urls } => {
                let seeded = handle.add_seeds(&urls).await?;
                json!({
                    "order": "add",
                    "admitted": seeded.admitted,
                    "known": seeded.known,
                    "filtered": seeded.filtered,
                })
            }
            Order::Block { host } => {
                let blocked = handle.block(&host).await?;
                json!({
                    "order": "block",
                    "host": host,
                    "was": freedom(blocked.was_blocked),
                    "is": "blocked",
                    "hosts": blocked.hosts,
                    "urls": blocked.urls,
                })
            }
            Order::Unblock { host } => {
                let was = freedom(handle.unblock(&host).await?);
                json!({ "order": "unblock", "host": host, "was": was, "is": "free" })
            }
            Order::Set { setting, host } => {
                let was = match &host {
                    Some(host) => handle.set_for(host, setting).await?,
                    None => handle.set(setting).await?,
                };
                json!({
                    "order": "set",
                    "key": setting.key(),
                    "host": host,
                    "was": value(was),
                    "is": value(setting),
                })
            }
            Order::Status => {
                let mut row = json!({ "order": "status", "running": true });
                let (status, blocked) = (handle.status().await?, handle.blocked()?);
                let counts = handle.stats();
                if let (Some(row), Ok(Value::Object(status))) =
                    (row.as_object_mut(), serde_json::to_value(status))
                {
                    row.extend(status);
                    row.insert("blocked".to_owned(), blocked.into());
                    row.insert("queued".to_owned(), counts.queued.into());
                    row.insert("in_flight".to_owned(), counts.in_flight.into());
                }
                row
            }
        })
    }
}

fn standing(is_paused: bool) -> &'static str {
    if is_paused { "paused" } else { "running" }
}

fn freedom(is_blocked: bool) -> &'static str {
    if is_blocked { "blocked" } else { "free" }
}

/// A setting's value, without its key.
fn value(setting: Setting) -> Value {
    match serde_json::to_value(setting) {
        Ok(Value::Object(map)) => map.into_iter().next().map_or(Value::Null, |(_, value)| value),
        _ => Value::Null,
    }
}

/// An error with its sources, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[track_caller]
    fn check(json: Value, order: Order) {
        assert_eq!(serde_json::to_value(&order).unwrap(), json);
        assert_eq!(serde_json::from_value::<Order>(json).unwrap(), order);
    }

    #[test]
    fn an_order_in_json_is_what_it_says() {
        check(json!({ "order": "pause" }), Order::Pause);
        check(json!({ "order": "block", "host": "h" }), Order::Block { host: "h".into() });
        let setting = Setting::Delay(Duration::from_secs(2));
        check(
            json!({ "order": "set", "setting": { "delay": "2s" }, "host": "h" }),
            Order::Set { setting, host: Some("h".into()) },
        );
        assert_eq!(value(setting), json!("2s"));
        assert_eq!(value(Setting::MaxPages(7)), json!(7));
        for bad in [
            json!({ "order": "paus" }),
            json!({ "order": "block", "host": "h", "hard": true }),
            json!({ "order": "set", "setting": { "robots": false } }),
        ] {
            assert!(serde_json::from_value::<Order>(bad).is_err());
        }
    }
}
