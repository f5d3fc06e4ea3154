//! cargo, asked and run.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::PluginError;

/// A crate that makes a shared library.
pub(crate) struct Crate {
    folder: PathBuf,
    name: String,
    target: PathBuf,
    workspace: PathBuf,
}

impl Crate {
    /// Asks cargo about the crate in a folder.
    pub(crate) fn read(folder: &Path) -> Result<Self, PluginError> {
        let mut command = cargo(folder);
        command.args(["metadata", "--no-deps", "--offline", "--format-version", "1"]);
        let output = command.output().map_err(no_cargo(folder))?;
        let unreadable = |reason: String| PluginError::Manifest { path: folder.to_owned(), reason };
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let said = said.trim().trim_start_matches("error: ");
            return Err(unreadable(said.to_owned()));
        }
        let metadata: Value =
            serde_json::from_slice(&output.stdout).map_err(|e| unreadable(e.to_string()))?;
        let is_own = |package: &&Value| {
            let manifest = Path::new(text(&package["manifest_path"]));
            manifest.parent().is_some_and(|own| own == folder)
        };
        let package = list(&metadata["packages"]).iter().find(is_own).ok_or_else(|| {
            unreadable("it is a workspace; name the folder of one of its crates".to_owned())
        })?;
        let name = text(&package["name"]).to_owned();
        if !list(&package["targets"]).iter().any(makes_library) {
            return Err(PluginError::NoCdylib { name });
        }
        let place = |key: &str| PathBuf::from(text(&metadata[key]));
        let (target, workspace) = (place("target_directory"), place("workspace_root"));
        Ok(Self { folder: folder.to_owned(), name, target, workspace })
    }

    /// Builds its library. cargo's messages go to standard error, as cargo shows them.
    pub(crate) fn build(&self) -> Result<PathBuf, PluginError> {
        let mut command = cargo(&self.folder);
        command.args(["build", "--release", "--lib", "--package", &self.name]);
        command.arg("--message-format=json-render-diagnostics");
        if self.is_all_here()? {
            command.arg("--offline");
        }
        let spawned = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn();
        let mut child = spawned.map_err(no_cargo(&self.folder))?;
        let stdout = child.stdout.take().map(BufReader::new);
        let mut library = None;
        // Other bytes than text are none of the messages.
        for line in stdout.into_iter().flat_map(|out| out.split(b'\n').map_while(Result::ok)) {
            let message: Value = serde_json::from_slice(&line).unwrap_or_default();
            library = self.library_in(&message).or(library);
        }
        let status = child.wait().map_err(no_cargo(&self.folder))?;
        let failed = || PluginError::BuildFailed { name: self.name.clone() };
        if status.success() { library.ok_or_else(failed) } else { Err(failed()) }
    }

    /// The file that a message tells of, if it is the crate's library.
    fn library_in(&self, message: &Value) -> Option<PathBuf> {
        let is_artifact = text(&message["reason"]) == "compiler-artifact";
        let is_own = Path::new(text(&message["manifest_path"])).parent() == Some(&self.folder);
        if !(is_artifact && is_own && makes_library(&message["target"])) {
            return None;
        }
        let files = list(&message["filenames"]).iter().map(|file| Path::new(text(file)));
        let is_library = |file: &&Path| {
            file.extension().is_some_and(|end| end == std::env::consts::DLL_EXTENSION)
        };
        files.into_iter().find(is_library).map(Path::to_owned)
    }

    /// Whether all that it depends on has been downloaded.
    fn is_all_here(&self) -> Result<bool, PluginError> {
        let output = cargo(&self.folder).arg("-vV").output().map_err(no_cargo(&self.folder))?;
        let version = String::from_utf8_lossy(&output.stdout);
        let host = version.lines().find_map(|line| line.strip_prefix("host: "));
        let mut command = cargo(&self.folder);
        command.args(["fetch", "--offline", "--quiet"]);
        if let Some(host) = host {
            command.args(["--target", host.trim()]);
        }
        Ok(command.output().map_err(no_cargo(&self.folder))?.status.success())
    }

    /// Its folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Where it is built.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// The folder of its workspace, which may be its own.
    pub(crate) fn workspace(&self) -> &Path {
        &self.workspace
    }
}

/// cargo, as it would be called in a folder: its toolchain and configuration are the folder's.
fn cargo(folder: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(folder).stdin(Stdio::null());
    command
}

fn no_cargo(folder: &Path) -> impl Fn(std::io::Error) -> PluginError + use<> {
    let path = folder.to_owned();
    move |source| PluginError::NoCargo { path: path.clone(), source }
}

/// Whether a target of a crate is a shared library.
fn makes_library(target: &Value) -> bool {
    list(&target["crate_types"]).iter().any(|kind| kind == "cdylib")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}
