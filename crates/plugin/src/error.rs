//! What can be wrong with a plugin, and what helps.

use std::io;
use std::path::PathBuf;

use crawl_spider::abi::layout::{ABI_VERSION, SDK_VERSION};

/// Why there is no spider.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PluginError {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is no shared library, or a damaged one.
    #[error("{} is not a shared library: {reason}", path.display())]
    NotALibrary {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// It is a shared library of some other kind.
    #[error("{} is a shared library, but not a plugin", path.display())]
    NotAPlugin {
        /// Which file.
        path: PathBuf,
    },
    /// It exports several spiders.
    #[error("{} exports several spiders: {}", path.display(), names.join(", "))]
    Several {
        /// Which file.
        path: PathBuf,
        /// Their crates.
        names: Vec<String>,
    },
    /// It speaks another version of the boundary.
    #[error("{} speaks version {theirs} of the plugin ABI, and this is version {ABI_VERSION}", path.display())]
    Abi {
        /// Which file.
        path: PathBuf,
        /// Its version.
        theirs: u32,
    },
    /// It was built with another version of the SDK.
    #[error("{} was built with crawl-spider {theirs}, and this is {SDK_VERSION}", path.display())]
    Sdk {
        /// Which file.
        path: PathBuf,
        /// Its version.
        theirs: String,
    },
    /// The version is right, but the sources were others.
    #[error("{} was built with another state of crawl-spider {SDK_VERSION}: {what} differ", path.display())]
    State {
        /// Which file.
        path: PathBuf,
        /// What differs.
        what: &'static str,
    },
    /// Its panics end the process.
    #[error("{} was built with `panic = \"abort\"`: a panic in it would end the whole crawl", path.display())]
    Aborts {
        /// Which file.
        path: PathBuf,
    },
    /// The system's loader refuses it.
    #[error("cannot load {}", path.display())]
    Load {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: libloading::Error,
    },
    /// The file changed between the check and the loading.
    #[error("{} changed while it was loaded", path.display())]
    Changed {
        /// Which file.
        path: PathBuf,
    },
    /// The spider does not begin: its arguments are wrong, say.
    #[error("the plugin `{name}` does not make a spider: {reason}")]
    Create {
        /// Its crate.
        name: String,
        /// Its own message.
        reason: String,
    },
    /// A panic where there is no page yet.
    #[error("the plugin `{name}` panicked in `{callback}`: {reason}")]
    Panicked {
        /// Its crate.
        name: String,
        /// In which callback.
        callback: &'static str,
        /// The panic's message.
        reason: String,
    },
    /// It answers in bytes that are none of the SDK's.
    #[error("the plugin `{name}` answers `{callback}` with bytes that make no sense: {reason}")]
    Garbage {
        /// Its crate.
        name: String,
        /// Which callback.
        callback: &'static str,
        /// What is wrong with them.
        reason: String,
    },
    /// There is no such file or folder.
    #[error("there is no {}", path.display())]
    Missing {
        /// What was asked for.
        path: PathBuf,
    },
    /// The folder is no crate's.
    #[error("{} has no Cargo.toml", path.display())]
    NotACrate {
        /// Which folder.
        path: PathBuf,
    },
    /// cargo cannot be started.
    #[error("cannot run cargo to build {}", path.display())]
    NoCargo {
        /// The crate's folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// cargo cannot make sense of the crate.
    #[error("cargo cannot read the crate in {}: {reason}", path.display())]
    Manifest {
        /// The crate's folder.
        path: PathBuf,
        /// What cargo said.
        reason: String,
    },
    /// The crate makes no shared library.
    #[error("the crate `{name}` makes no shared library", name = name)]
    NoCdylib {
        /// Its name.
        name: String,
    },
    /// It does not build; cargo has said why.
    #[error("the crate `{name}` does not build")]
    BuildFailed {
        /// Its name.
        name: String,
    },
    /// The library cannot be put where it is kept.
    #[error("cannot keep the built library in {}", path.display())]
    Keep {
        /// The folder, or file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl PluginError {
    /// What to do next, if there is something to say.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::NotAPlugin { .. } => {
                "write `#[spider]` on the `impl Spider` of one type of the crate, and build again"
            }
            Self::Several { .. } => {
                "a plugin exports one spider: write `#[spider]` in one crate only"
            }
            Self::Abi { .. } | Self::Sdk { .. } | Self::State { .. } => {
                "build it against the crawl-spider of this crawl: give the crate's folder as the \
                 plugin, or let its Cargo.toml name that version and build again"
            }
            Self::Aborts { .. } => {
                "remove `panic = \"abort\"` from its profile, or set `spider.isolation` to \"process\""
            }
            Self::NotALibrary { .. } => {
                "give the .so that cargo built of a crate with `crate-type = [\"cdylib\", \"rlib\"]`, \
                 or the crate's folder"
            }
            Self::Changed { .. } => "wait until the build is over, and try again",
            Self::Create { .. } => "arguments are in `[spider.args]`, or after `-a`",
            Self::NoCargo { .. } => {
                "install Rust (https://rustup.rs), or give a library that is already built"
            }
            Self::NoCdylib { .. } => {
                "add to its Cargo.toml: [lib] crate-type = [\"cdylib\", \"rlib\"]"
            }
            Self::NotACrate { .. } => "`plugin` is a crate's folder or a shared library",
            Self::Missing { .. } => "relative paths are relative to the current folder",
            Self::Read { .. }
            | Self::Load { .. }
            | Self::Panicked { .. }
            | Self::Garbage { .. }
            | Self::Manifest { .. }
            | Self::BuildFailed { .. }
            | Self::Keep { .. } => return None,
        })
    }
}
