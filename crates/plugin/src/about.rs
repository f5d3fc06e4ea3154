//! What a library says of itself, read from the file.
//!
//! Loading a library runs code of it (its constructors), and calling a function through a table of
//! another shape does anything. So the header is read as bytes first.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crawl_spider::abi::layout::{
    ABI_VERSION, FRAMES, HEADER_DATA, Header, MAGIC, SDK_VERSION, SIZES, SYMBOL_PREFIX,
};
use object::read::{ExportTarget, NameOrOrdinal};
use object::{Architecture, File, Object, ObjectKind, ObjectSection, ObjectSegment};

use crate::PluginError;

/// Where a field of the header is.
macro_rules! part {
    ($field:ident) => {{
        const START: usize = std::mem::offset_of!(Header, $field);
        START..START + size_of_field(|header: &Header| &raw const header.$field)
    }};
}

/// What a plugin's file says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The file.
    pub path: PathBuf,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// The name of its crate.
    pub name: String,
    /// The version of its crate.
    pub version: String,
    /// The version of the plugin ABI that it speaks.
    pub abi: u32,
    /// The version of the SDK that it was built with.
    pub sdk: String,
    /// The compiler that built it. Any will do.
    pub rustc: String,
    /// Whether its panics can be caught.
    pub unwinds: bool,
    pub(crate) symbol: String,
    pub(crate) header: Box<[u8; HEADER_DATA]>,
}

/// Reads what a library says of itself, and checks that it can be called. None of its code runs.
///
/// # Errors
/// [`PluginError`]: the file is none, is no library, no plugin, or one of another version.
pub fn inspect(path: &Path) -> Result<About, PluginError> {
    let read = |source| PluginError::Read { path: path.to_owned(), source };
    let path = &fs::canonicalize(path).map_err(read)?;
    examine(path, &fs::read(path).map_err(read)?)
}

/// Checks the bytes of the library at `path`.
pub(crate) fn examine(path: &Path, bytes: &[u8]) -> Result<About, PluginError> {
    let not_a_library = |reason: &dyn ToString| PluginError::NotALibrary {
        path: path.to_owned(),
        reason: reason.to_string(),
    };
    if bytes.is_empty() {
        return Err(not_a_library(&"it is empty"));
    }
    let file = File::parse(bytes).map_err(|error| not_a_library(&error))?;
    if file.kind() != ObjectKind::Dynamic {
        return Err(not_a_library(&"it is a program or an object file"));
    }
    if !is_native(file.architecture()) {
        let (theirs, ours) = (file.architecture(), std::env::consts::ARCH);
        return Err(not_a_library(&format!("it is for {theirs:?}, and this machine is {ours}")));
    }
    let is_whole = file.segments().all(|segment| {
        let (start, size) = segment.file_range();
        start.checked_add(size).is_some_and(|end| end <= bytes.len() as u64)
    });
    if !is_whole {
        return Err(not_a_library(&"it is cut short"));
    }
    let (symbol, header) = find_header(&file, path, &not_a_library)?;
    let about = About::read(path, bytes.len() as u64, symbol, header)?;
    about.check()?;
    Ok(about)
}

/// Whether this process can run code for `architecture`.
fn is_native(architecture: Architecture) -> bool {
    match std::env::consts::ARCH {
        "x86_64" => architecture == Architecture::X86_64,
        "aarch64" => architecture == Architecture::Aarch64,
        // The loader will say.
        _ => true,
    }
}

/// The header's symbol and bytes.
fn find_header(
    file: &File<'_>,
    path: &Path,
    not_a_library: &dyn Fn(&dyn ToString) -> PluginError,
) -> Result<(String, Box<[u8; HEADER_DATA]>), PluginError> {
    let mut found: Vec<(String, u64)> = Vec::new();
    for export in file.exports().map_err(|error| not_a_library(&error))? {
        let export = export.map_err(|error| not_a_library(&error))?;
        let NameOrOrdinal::Name(name) = export.name() else { continue };
        let Ok(name) = std::str::from_utf8(name) else { continue };
        // Mach-O puts an underscore before each name.
        let name = name.strip_prefix('_').unwrap_or(name);
        if let (true, ExportTarget::Address { address }) =
            (name.starts_with(SYMBOL_PREFIX), export.target())
        {
            found.push((name.to_owned(), address));
        }
    }
    if found.len() > 1 {
        found = own_header(found, path)?;
    }
    let not_a_plugin = || PluginError::NotAPlugin { path: path.to_owned() };
    let (symbol, address) = found.pop().ok_or_else(not_a_plugin)?;
    let bytes = file
        .sections()
        .find_map(|section| section.data_range(address, HEADER_DATA as u64).ok().flatten());
    let header = bytes.and_then(|bytes| <[u8; HEADER_DATA]>::try_from(bytes).ok());
    Ok((symbol, Box::new(header.ok_or_else(not_a_plugin)?)))
}

/// Of several headers that of the library's own crate, by which the file is named: a plugin may
/// link another one.
fn own_header(found: Vec<(String, u64)>, path: &Path) -> Result<Vec<(String, u64)>, PluginError> {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let stem = stem.strip_prefix("lib").unwrap_or(stem).replace('-', "_");
    let name = |(symbol, _): &(String, u64)| symbol[SYMBOL_PREFIX.len()..].to_owned();
    let own = found.iter().filter(|one| stem.starts_with(&name(one)));
    match own.max_by_key(|(symbol, _)| symbol.len()) {
        Some(one) => Ok(vec![one.clone()]),
        None => {
            let names = found.iter().map(name).collect();
            Err(PluginError::Several { path: path.to_owned(), names })
        }
    }
}

impl About {
    fn read(
        path: &Path,
        size_bytes: u64,
        symbol: String,
        header: Box<[u8; HEADER_DATA]>,
    ) -> Result<Self, PluginError> {
        if header[part!(magic)] != MAGIC {
            return Err(PluginError::NotAPlugin { path: path.to_owned() });
        }
        let text = |range: Range<usize>| {
            let bytes = header[range].split(|&byte| byte == 0).next().unwrap_or_default();
            String::from_utf8_lossy(bytes).into_owned()
        };
        Ok(Self {
            path: path.to_owned(),
            size_bytes,
            name: text(part!(name)),
            version: text(part!(version)),
            abi: number(&header[part!(abi)]),
            sdk: text(part!(sdk)),
            rustc: text(part!(rustc)),
            unwinds: number(&header[part!(unwinds)]) == 1,
            symbol,
            header,
        })
    }

    /// Compares all that must be as it is here.
    fn check(&self) -> Result<(), PluginError> {
        let path = self.path.clone();
        if self.abi != ABI_VERSION {
            return Err(PluginError::Abi { path, theirs: self.abi });
        }
        if self.sdk != SDK_VERSION {
            return Err(PluginError::Sdk { path, theirs: self.sdk.clone() });
        }
        let sizes = SIZES.map(u32::to_ne_bytes).concat();
        if self.header[part!(sizes)] != sizes {
            return Err(PluginError::State { path, what: "the sizes of structs" });
        }
        if self.header[part!(frames)] != FRAMES.to_ne_bytes() {
            return Err(PluginError::State { path, what: "the frames" });
        }
        Ok(())
    }
}

/// The size of what a field's pointer points to.
const fn size_of_field<T>(_: fn(&Header) -> *const T) -> usize {
    size_of::<T>()
}

fn number(bytes: &[u8]) -> u32 {
    <[u8; 4]>::try_from(bytes).map_or(0, u32::from_ne_bytes)
}
