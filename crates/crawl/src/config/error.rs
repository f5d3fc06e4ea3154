//! What can be wrong with a config, said so that it can be put right.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crawl_plugin::PluginError;
use crawl_plugin::process::IsolationError;

use super::source::{Place, hide_credentials};

/// Why a config cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something is written wrongly.
    #[error(transparent)]
    Mistake(Box<Mistake>),
    /// The plugin does not build or load.
    #[error(transparent)]
    Plugin(#[from] Box<PluginError>),
    /// The plugin does not run in a child process.
    #[error(transparent)]
    Isolation(#[from] IsolationError),
}

/// Something written wrongly, with its place.
///
/// [`Display`](fmt::Display) gives the message and, below it, file, line and column, the line
/// itself and a caret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// What is wrong; names the key.
    pub message: String,
    /// Where; `None` if the config was not read from a text, or the mistake has no one place.
    pub place: Option<Box<Place>>,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Mistake {
    /// A mistake whose place is not known (yet).
    pub(crate) fn new(message: impl Into<String>) -> Self {
        // serde quotes the value that it does not like.
        Self { message: hide_credentials(&message.into()), place: None, hint: None }
    }

    /// Adds what to do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hide_credentials(&hint.into()));
        self
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.place.as_ref().map_or(Ok(()), |place| write!(f, "\n{place}"))
    }
}

impl std::error::Error for Mistake {}

impl ConfigError {
    /// What to do about it, if that is known.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Read { .. } | Self::Isolation(_) => None,
            Self::Plugin(error) => error.hint(),
            Self::Mistake(mistake) => mistake.hint.as_deref(),
        }
    }
}

impl From<PluginError> for ConfigError {
    fn from(error: PluginError) -> Self {
        Self::Plugin(Box::new(error))
    }
}

impl From<Mistake> for ConfigError {
    fn from(mistake: Mistake) -> Self {
        Self::Mistake(Box::new(mistake))
    }
}
