//! What the types of a feed's table cannot say: which keys go together, and what this build can do.

use std::path::PathBuf;

use super::place::Place;
use crate::{Compression, FeedConfig, FeedFormat};

/// A mistake in a feed's table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("feed {}: {problem}", path.display())]
pub struct FeedFault {
    /// The feed's path, without a password.
    pub path: PathBuf,
    /// The key that is wrong.
    pub key: &'static str,
    /// What is wrong.
    pub problem: String,
    /// What to write instead.
    pub hint: String,
}

/// A cargo feature that some feeds need.
pub(crate) struct Feature {
    pub(crate) name: &'static str,
    pub(crate) is_built: bool,
    pub(crate) what: &'static str,
}

const SQLITE: Feature =
    Feature { name: "sqlite", is_built: cfg!(feature = "sqlite"), what: "SQLite" };
const PARQUET: Feature =
    Feature { name: "parquet", is_built: cfg!(feature = "parquet"), what: "Parquet" };
const POSTGRES: Feature =
    Feature { name: "postgres", is_built: cfg!(feature = "postgres"), what: "PostgreSQL" };
const OBJECTS: Feature = Feature {
    name: "object-store",
    is_built: cfg!(feature = "object-store"),
    what: "object stores",
};

impl FeedFault {
    /// What is wrong with which feed, for a sentence that has begun.
    #[must_use]
    pub fn said(&self) -> String {
        format!("{}: {}", self.path.display(), self.problem)
    }
}

impl FeedConfig {
    /// Checks all that can be checked without touching a file or the network.
    ///
    /// # Errors
    /// [`FeedFault`] with the key that is wrong.
    pub fn check(&self) -> Result<(), FeedFault> {
        let place = Place::of(self);
        if let Place::Unknown(scheme) = &place {
            let hint = "there are files, `-`, postgres:// and s3://";
            return self.fault("path", format!("nothing is known of {scheme}://"), hint);
        }
        self.check_choice()?;
        match &place {
            Place::Postgres(_) => self.check_database(&POSTGRES),
            _ => match self.effective_format() {
                None => {
                    let hint = "name the file *.jsonl, *.json, *.csv, *.xml, *.parquet or *.sqlite, \
                                or set `format`";
                    self.fault("path", "its extension says no known format".to_owned(), hint)
                }
                Some(FeedFormat::Sqlite) if matches!(place, Place::File(_)) => {
                    self.check_database(&SQLITE)
                }
                Some(format) => self.check_file(&place, format),
            },
        }
    }

    fn check_choice(&self) -> Result<(), FeedFault> {
        let mut names: Vec<&str> = Vec::new();
        for choice in &self.fields {
            let Some((_, to)) = choice.names() else {
                let hint = "write \"name\", or { name = \"other name\" }";
                return self.fault("fields", "a field is one name, or one pair".to_owned(), hint);
            };
            if names.contains(&to) {
                let hint = "give one of them another name: { name = \"other name\" }";
                return self.fault("fields", format!("`{to}` is written twice"), hint);
            }
            names.push(to);
        }
        Ok(())
    }

    fn check_database(&self, feature: &Feature) -> Result<(), FeedFault> {
        self.check_feature("path", feature)?;
        let hint = "a database has tables: see `table` and `key`";
        let wrong = [
            ("batch-items", self.batch_items > 0),
            ("compression", self.compression.is_some()),
            ("options", !self.options.is_empty()),
            ("format", self.format.is_some_and(|format| format != FeedFormat::Sqlite)),
        ];
        for (key, is_set) in wrong {
            if is_set {
                return self.fault(key, format!("`{key}` says nothing of a database"), hint);
            }
        }
        if self.table().is_empty() || self.table().contains('\0') {
            return self.fault("table", "a table has a name".to_owned(), "leave it away: `items`");
        }
        let chosen = |key: &String| {
            self.fields.iter().any(|field| field.names().is_some_and(|(_, to)| to == key))
        };
        if let Some(key) = self.key.iter().find(|key| !self.fields.is_empty() && !chosen(key)) {
            let hint = "add it to `fields`";
            return self.fault("key", format!("`{key}` is not among `fields`"), hint);
        }
        Ok(())
    }

    fn check_file(&self, place: &Place, format: FeedFormat) -> Result<(), FeedFault> {
        for (key, is_set) in [("table", self.table.is_some()), ("key", !self.key.is_empty())] {
            if is_set {
                let hint = "tables are in databases: a path *.sqlite, or postgres://";
                return self.fault(key, format!("`{key}` says nothing of a file"), hint);
            }
        }
        if format == FeedFormat::Sqlite {
            let hint = "give the database a file: items.sqlite";
            return self.fault("path", "SQLite writes into files alone".to_owned(), hint);
        }
        if format == FeedFormat::Parquet {
            self.check_feature("format", &PARQUET)?;
            if self.effective_compression() != Compression::None {
                let hint = "leave it away: Parquet compresses what is in it";
                return self.fault("compression", "Parquet is not compressed again".into(), hint);
            }
        }
        match place {
            Place::Stdout if self.batch_items > 0 => {
                let hint = "give the feed a file";
                self.fault("batch-items", "standard output has no parts".to_owned(), hint)
            }
            Place::Objects(_) => self.check_feature("path", &OBJECTS),
            Place::Stdout | Place::File(_) | Place::Postgres(_) | Place::Unknown(_)
                if !self.options.is_empty() =>
            {
                let hint = "leave them away: they are for s3://";
                self.fault("options", "only object stores have options".to_owned(), hint)
            }
            Place::Stdout | Place::File(_) | Place::Postgres(_) | Place::Unknown(_) => Ok(()),
        }
    }

    fn check_feature(&self, key: &'static str, feature: &Feature) -> Result<(), FeedFault> {
        if feature.is_built {
            return Ok(());
        }
        let problem = format!("this build knows nothing of {}", feature.what);
        let hint = format!(
            "build it in: cargo build --release --features {} (or all-feeds)",
            feature.name
        );
        self.fault(key, problem, &hint)
    }

    pub(crate) fn fault<T>(
        &self,
        key: &'static str,
        problem: String,
        hint: &str,
    ) -> Result<T, FeedFault> {
        Err(FeedFault { path: self.name().into(), key, problem, hint: hint.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FieldChoice;

    #[track_caller]
    fn wrong(config: FeedConfig, key: &str) {
        assert_eq!(config.check().expect_err("it is wrong").key, key);
    }

    #[test]
    fn what_does_not_go_together_is_named_by_its_key() {
        let to = |path: &str| FeedConfig::to(path);
        wrong(to("items.toml"), "path");
        wrong(to("ftp://h/items.csv"), "path");
        wrong(FeedConfig { batch_items: 9, ..to("-") }, "batch-items");
        wrong(FeedConfig { key: vec!["a".into()], ..to("a.csv") }, "key");
        wrong(FeedConfig { table: Some("t".into()), ..to("a.csv") }, "table");
        wrong(FeedConfig { options: [("a".into(), "b".into())].into(), ..to("a.csv") }, "options");
        wrong(
            FeedConfig { fields: ["a", "b=a"].map(FieldChoice::parse).into(), ..to("a") },
            "fields",
        );
        wrong(FeedConfig { fields: vec![FieldChoice::parse("=a")], ..to("a") }, "fields");
        assert_eq!(to("a.csv").check(), Ok(()));
    }

    #[test]
    fn what_is_not_built_in_says_how_to_get_it() {
        for (path, feature) in [
            ("a.sqlite", &SQLITE),
            ("a.parquet", &PARQUET),
            ("postgres://h/d", &POSTGRES),
            ("s3://b/a.csv", &OBJECTS),
        ] {
            let checked = FeedConfig::to(path).check();
            assert_eq!(checked.is_ok(), feature.is_built, "{path}");
            if let Err(fault) = checked {
                assert!(fault.hint.contains(&format!("--features {}", feature.name)), "{fault:?}");
            }
        }
    }
}
