//! The benchmark's processes: one that crawls and is killed, one that opens what it left, and the
//! one that starts both.
//!
//! All are the same program. A child is told its part by its arguments, tells its figures on
//! stdout, a line each, and then waits for its end.

use std::collections::BTreeMap;
use std::env;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};

/// Argument by which a child is told from what the user calls.
const PART: &str = "--part";
/// What a child says last.
const READY: &str = "ready";

/// Figures by name.
pub type Figures = BTreeMap<String, f64>;

/// What a process is to do.
pub enum Part {
    /// Start the others; with the user's arguments.
    Lead(Vec<String>),
    /// The part of this name, in this folder, with these numbers.
    Child(String, PathBuf, Vec<u64>),
}

impl Part {
    /// Reads the arguments.
    ///
    /// # Panics
    /// If a child was called with nonsense.
    #[must_use]
    pub fn read() -> Self {
        let mut args: Vec<String> = env::args().skip(1).collect();
        if args.first().is_some_and(|arg| arg == PART) {
            let numbers = args.split_off(3);
            let numbers = numbers.iter().map(|text| text.parse().expect("a number")).collect();
            return Self::Child(args[1].clone(), PathBuf::from(&args[2]), numbers);
        }
        args.retain(|arg| !arg.starts_with("--")); // those are cargo's
        Self::Lead(args)
    }
}

/// Tells a child's figures, and waits until it is killed.
pub fn tell_and_wait(figures: impl IntoIterator<Item = (String, f64)>) -> ExitCode {
    let mut out = io::stdout().lock();
    for (name, figure) in figures {
        let _ = writeln!(out, "{figure} {name}");
    }
    let _ = writeln!(out, "{READY}").and_then(|()| out.flush());
    // Ends when the leader does, whatever became of it.
    let _ = io::stdin().lock().read_line(&mut String::new());
    ExitCode::SUCCESS
}

/// Runs a part until it has told its figures, and kills it.
///
/// # Errors
/// If it ended before.
pub fn run_and_kill(part: &str, folder: &Path, numbers: &[u64]) -> io::Result<Figures> {
    let mut command = Command::new(env::current_exe()?);
    command.arg(PART).arg(part).arg(folder).args(numbers.iter().map(u64::to_string));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let figures = listen(&mut child);
    child.kill()?; // SIGKILL
    child.wait()?;
    figures
}

fn listen(child: &mut Child) -> io::Result<Figures> {
    let mut figures = Figures::new();
    let out = child.stdout.take().expect("it is piped");
    for line in BufReader::new(out).lines() {
        let line = line?;
        if line == READY {
            return Ok(figures);
        }
        if let Some((figure, name)) = line.split_once(' ') {
            figures.insert(name.to_owned(), figure.parse().map_err(io::Error::other)?);
        }
    }
    Err(io::Error::other("the process ended before it was ready"))
}
