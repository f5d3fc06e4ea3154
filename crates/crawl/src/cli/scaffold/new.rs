//! `crawl new`: a spider to begin with.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::args::{NewArgs, Template};
use super::template::{self, File, Names};
use super::{propose, sdk};
use crate::cli::failure::{Exit, Failure};

/// Makes the spider, and says what comes next.
pub(crate) async fn new(args: NewArgs) -> Result<(), Failure> {
    let names = Names::of(&args.name).map_err(|better| {
        let what = format!("`{}` is no name for a crate", args.name);
        let hint = format!(
            "small letters, digits, `-` and `_`, a letter first, no word of Rust; `{better}` would do"
        );
        Failure::new(Exit::Usage, what).hint(hint)
    })?;
    if let Some(source) = &args.from {
        let path = free_file(&names)?;
        let text = propose::from(source, &names, &args.settings).await?;
        write(Path::new(""), &[(path.display().to_string(), text)])?;
        eprintln!("made {}; next:", path.display());
        return say(&[&format!("crawl run {} -s scope.max-pages=5", path.display())]);
    }
    if args.template == Template::Declarative {
        let path = free_file(&names)?;
        write(Path::new(""), &[template::declarative(&names)])?;
        eprintln!("made {}; next:", path.display());
        return say(&[&format!("crawl run {}", path.display())]);
    }
    let sdk = sdk::find(args.sdk.as_deref())?;
    let folder = free_folder(&names)?;
    let mut files = template::crate_files(args.template, &names, &sdk);
    // The versions that the SDK was tested with; cargo drops what is not needed.
    if let Ok(lock) = fs::read_to_string(sdk.join("Cargo.lock")) {
        files.push(("Cargo.lock".to_owned(), lock));
    }
    write(&folder, &files)?;
    eprintln!("made the folder {name}; next:", name = names.kebab);
    say(&[&format!("cd {}", names.kebab), &format!("crawl run {}.toml", names.kebab), "cargo test"])
}

/// Prints the next commands: they are the result, to be copied.
fn say(commands: &[&str]) -> Result<(), Failure> {
    use std::io::Write as _;
    let mut out = io::stdout().lock();
    let done = commands.iter().try_for_each(|command| writeln!(out, "{command}"));
    crate::cli::failure::unless_closed(done.and_then(|()| out.flush()))
}

/// The file of a declarative spider, if nothing is in its place.
fn free_file(names: &Names) -> Result<PathBuf, Failure> {
    let path = PathBuf::from(format!("{}.toml", names.kebab));
    match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(path),
        _ => {
            let what = format!("there is a {} already", path.display());
            Err(Failure::new(Exit::Usage, what).hint("choose another name, or move it away"))
        }
    }
}

/// The folder of a crate, if nothing is in its place but an empty folder.
fn free_folder(names: &Names) -> Result<PathBuf, Failure> {
    let path = PathBuf::from(&names.kebab);
    let is_free = match fs::read_dir(&path) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    };
    if is_free {
        return Ok(path);
    }
    let what = format!("there is a {} already, and it is no empty folder", path.display());
    Err(Failure::new(Exit::Usage, what).hint("choose another name, or move it away"))
}

/// Writes new files; none is written over.
fn write(folder: &Path, files: &[File]) -> Result<(), Failure> {
    for (name, text) in files {
        let path = folder.join(name);
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let made = parent.map_or(Ok(()), fs::create_dir_all);
        let written = made.and_then(|()| {
            let mut file = fs::File::create_new(&path)?;
            io::Write::write_all(&mut file, text.as_bytes())
        });
        written.map_err(|error| {
            Failure::new(Exit::Broken, format!("{} cannot be written: {error}", path.display()))
        })?;
    }
    Ok(())
}
