//! What the database says that everything else hangs on: the crawl's secret, and how far the
//! settle log is committed.

use std::path::Path;

use crawl_model::{Fingerprinter, IdentityConfig, KeyRules, LogPosition};
use serde_json::Value;

use super::bytes::numbers;
use super::log::Log;
use super::pages::Broken;

/// What the database says that everything else hangs on.
pub(super) struct Basis {
    pub(super) log: Log,
    /// Items, as the last commit counted them.
    pub(super) items: u64,
    pub(super) secret: [u8; 16],
}

impl Basis {
    /// `None` if the crawl's secret is not there.
    pub(super) fn read(root: &Path, tree: &sled::Db) -> Result<Option<Self>, Broken> {
        let identity = tree.get("Midentity")?;
        let secret = identity.and_then(|json| {
            let identity: Value = serde_json::from_slice(&json).ok()?;
            serde_json::from_value::<[u8; 16]>(identity.get("secret")?.clone()).ok()
        });
        let Some(secret) = secret else { return Ok(None) };
        let config = tree.get("Mconfig")?;
        let rules = config.and_then(|json| {
            let config: Value = serde_json::from_slice(&json).ok()?;
            serde_json::from_value(config.pointer("/scope/identity")?.clone()).ok()
        });
        let rules = rules.unwrap_or_else(IdentityConfig::literal);
        let prints = Fingerprinter::new(secret);
        let prints = match KeyRules::new(&rules) {
            Ok(rules) => prints.under(rules),
            Err(_) => prints,
        };
        let totals = tree.get("Mtotals")?.and_then(|value| numbers(&value)).unwrap_or_default();
        let (n, items, segment, offset) = match totals[..] {
            [n, items, segment, offset] => (n, items, segment, offset),
            _ => (0, 0, 0, 0),
        };
        let end = LogPosition { segment: u32::try_from(segment).unwrap_or(u32::MAX), offset, n };
        Ok(Some(Self { log: Log { dir: root.join("log"), prints, end }, items, secret }))
    }
}
