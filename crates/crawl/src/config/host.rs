//! The `[[host]]` tables: what holds for some hosts in place of `[politeness]` and `[fetch]`.
//!
//! A table is laid over the crawl-wide one and read as that one's own type, so keys, values and
//! mistakes are the same in both places.

use crawl_engine::HostRules;
use crawl_fetcher::FetchConfig;
use crawl_frontier::PolitenessConfig;
use crawl_model::{HostPattern, HostTable};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use toml::Table;

use super::Config;
use super::check::Fault;
use super::error::Mistake;
use super::explain::explain;
use super::overrides::merge;
use super::source::bare_or_quoted;

/// Settings of some hosts, as written in a `[[host]]` table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct HostConfig {
    /// The hosts: `shop.test` for itself, `*.shop.test` for the domain and all below it. Of all
    /// tables that fit a host one counts: that with the exact name, else that with the longest
    /// pattern.
    #[serde(rename = "match")]
    pub hosts: Vec<String>,
    /// Keys of `[politeness]` and what they are for these hosts.
    #[serde(skip_serializing_if = "Table::is_empty")]
    #[schemars(schema_with = "politeness_schema")]
    pub politeness: Table,
    /// Keys of `[fetch]` and what they are for these hosts. Of a table such as `headers`, only
    /// the keys that are named here change.
    #[serde(skip_serializing_if = "Table::is_empty")]
    #[schemars(schema_with = "fetch_schema")]
    pub fetch: Table,
}

fn politeness_schema(generator: &mut SchemaGenerator) -> Schema {
    layer_schema::<PolitenessConfig>(generator, PolitenessConfig::PER_HOST)
}

fn fetch_schema(generator: &mut SchemaGenerator) -> Schema {
    layer_schema::<FetchConfig>(generator, FetchConfig::PER_HOST)
}

/// That of the crawl-wide table with these keys alone. Nothing has a default of its own.
fn layer_schema<T: JsonSchema>(generator: &mut SchemaGenerator, keys: &[&str]) -> Schema {
    let mut schema = T::json_schema(generator);
    let properties = schema.get_mut("properties").and_then(|properties| properties.as_object_mut());
    if let Some(properties) = properties {
        properties.retain(|key, _| keys.contains(&key.as_str()));
        let tables = properties.values_mut().filter_map(|property| property.as_object_mut());
        tables.for_each(|table| _ = table.remove("default"));
    }
    schema.remove("description");
    schema
}

impl Config {
    /// What the `[[host]]` tables come to, each complete.
    pub(super) fn resolve_hosts(&self) -> Result<Vec<HostRules>, Fault> {
        let mut taken = HostTable::default();
        let rules = |(i, host)| self.resolve_host(i, host, &mut taken);
        self.host.iter().enumerate().map(rules).collect()
    }

    fn resolve_host(
        &self,
        index: usize,
        host: &HostConfig,
        taken: &mut HostTable<usize>,
    ) -> Result<HostRules, Fault> {
        let path = format!("host[{index}]");
        if host.hosts.is_empty() {
            let mistake = Mistake::new(format!("`{path}` names no host"));
            let hint = "say which hosts are meant: match = [\"shop.example\", \"*.cdn.example\"]";
            return Err(Fault::new(path, mistake.hint(hint)));
        }
        let patterns = patterns(&path, &host.hosts)?;
        if let Err(twice) = taken.insert(patterns.iter().cloned(), index) {
            let at = patterns.iter().position(|pattern| *pattern == twice).unwrap_or_default();
            let message = format!("`{twice}` stands in two [[host]] tables");
            let mistake = Mistake::new(message).hint("put its keys into one of them");
            return Err(Fault::new(format!("{path}.match[{at}]"), mistake));
        }
        let politeness =
            Layer { path: &path, table: "politeness", keys: PolitenessConfig::PER_HOST };
        let fetch = Layer { path: &path, table: "fetch", keys: FetchConfig::PER_HOST };
        Ok(HostRules {
            patterns,
            politeness: politeness.lay(&self.politeness, &host.politeness)?,
            fetch: fetch.lay(&self.fetch, &host.fetch)?,
        })
    }
}

fn patterns(path: &str, hosts: &[String]) -> Result<Vec<HostPattern>, Fault> {
    let read = |(i, text): (usize, &String)| {
        text.parse().map_err(|error| {
            let path = format!("{path}.match[{i}]");
            Fault::new(&*path, Mistake::new(format!("`{path}` = `{text}`: {error}")))
        })
    };
    hosts.iter().enumerate().map(read).collect()
}

/// One of a host's two tables.
struct Layer<'a> {
    /// `host[0]`.
    path: &'a str,
    table: &'a str,
    /// Those that may differ from host to host.
    keys: &'a [&'a str],
}

impl Layer<'_> {
    /// Lays `over` on `base`, key by key, so that each mistake has its key.
    fn lay<T: Serialize + DeserializeOwned>(&self, base: &T, over: &Table) -> Result<T, Fault> {
        let mut laid = Table::try_from(base).expect("a config has string keys and no nulls");
        for (key, value) in over {
            let path = format!("{}.{}.{}", self.path, self.table, bare_or_quoted(key));
            let one = Table::from_iter([(key.clone(), value.clone())]);
            merge(&mut laid, &one);
            if let Err(error) = T::deserialize(laid.clone()) {
                let mistake = explain(error.message(), Some(&path), &Table::new());
                return Err(Fault::new(path, mistake));
            }
            if !self.keys.contains(&key.as_str()) {
                let mistake = Mistake::new(format!("`{path}` is for the whole crawl"));
                let hint = format!("set it in the table `[{}]`", self.table);
                return Err(Fault::new(path, mistake.hint(hint)));
            }
        }
        Ok(T::deserialize(laid).expect("each of its keys was read"))
    }
}
