//! The parent's half: a spider whose callbacks run in a child.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::panic::resume_unwind;
use std::process::{Child as Process, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crawl_model::{Dropped, Refusal, Request};
use crawl_spider::abi::wire::{ClosedFrame, FailedFrame, ItemFrame, Wire, WireError};
use crawl_spider::{
    Closed, FailedRequest, Harvest, ItemStep, Page, PageInfo, RequestStep, Spider, SpiderError,
    Value,
};

use super::frames::{self, Greeting, STATUSES, VERSION, Welcome};
use super::pipe::{MAX_FRAME_BYTES, Pipe, PipeError};

/// Time that a child has to load its plugin, if callbacks may take less.
const LEAST_START: Duration = Duration::from_secs(20);

/// How children are started and held.
pub struct Launch {
    /// Makes the command that runs the child's half ([`serve`](super::serve)).
    pub command: Box<dyn Fn() -> Command + Send + Sync>,
    /// What the child's half is told to load.
    pub setup: String,
    /// Longest time of a callback; `None`: no limit.
    pub max_time: Option<Duration>,
    /// Most memory that a child may take for its own data; `None`: no limit.
    pub memory_bytes: Option<u64>,
}

/// Why a plugin does not run in a child process.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IsolationError {
    /// No process could be started.
    #[error("cannot start a process for the plugin")]
    Spawn(#[source] io::Error),
    /// The process did not say what it should.
    #[error("the plugin's process {0} before it had loaded the plugin")]
    Died(String),
    /// The plugin did not load in time.
    #[error("the plugin was not loaded within {0:?}")]
    Late(Duration),
    /// What the process said is not understood.
    #[error("the plugin's process does not keep to the protocol")]
    Protocol(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// There is no such plugin, or it does not load.
    #[error("{0}")]
    Refused(String),
}

/// A spider in child processes: as many as callbacks are under way at a time, started when they
/// are needed. Dropped, it ends them.
pub struct Isolated {
    launch: Launch,
    welcome: Welcome,
    /// Children with nothing to do.
    idle: Mutex<Vec<Child>>,
}

impl Isolated {
    /// Starts the first child, so that a plugin that does not load is known at once.
    ///
    /// # Errors
    /// [`IsolationError`] if there is no child, or none with a spider.
    pub fn new(launch: Launch) -> Result<Self, IsolationError> {
        let (child, welcome) = Child::start(&launch)?;
        Ok(Self { launch, welcome, idle: Mutex::new(vec![child]) })
    }

    /// Asks a child to make a call and puts what it brings into `out`.
    fn call(&self, question: &[u8], out: &mut Harvest) -> Result<(), SpiderError> {
        let (result, harvested) = self.ask(question, frames::read_answer)?;
        out.take_in(harvested);
        result
    }

    /// Asks a child something.
    fn ask<T>(
        &self,
        question: &[u8],
        read: impl FnOnce(&[u8]) -> Result<T, WireError>,
    ) -> Result<T, SpiderError> {
        if question.len() > MAX_FRAME_BYTES {
            let size = question.len() >> 20;
            let text = format!("{size} MiB are too much for a process of its own");
            return Err(SpiderError::Other(text));
        }
        let mut child = match self.idle_child() {
            Some(child) => child,
            None => Child::start(&self.launch).map_err(|e| SpiderError::Crashed(chain(&e)))?.0,
        };
        let deadline = self.launch.max_time.map(|time| Instant::now() + time);
        match child.ask(question, deadline).map(read) {
            Ok(Ok(answer)) => {
                // It is at rest, so another page may have it.
                self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(child);
                Ok(answer)
            }
            Ok(Err(error)) => Err(SpiderError::Other(garbage(&error))),
            Err(PipeError::Late) => {
                let limit = self.launch.max_time.unwrap_or_default();
                Err(SpiderError::TimedOut(format!(
                    "the spider did not return within {limit:?} (parse.max-time); its process was \
                     ended"
                )))
            }
            Err(PipeError::Gone) => Err(SpiderError::Crashed(self.obituary(child))),
            Err(error) => Err(SpiderError::Other(garbage(&error))),
        }
    }

    /// Has a child put something through a step. A panic in it is a panic here, as of any step.
    fn step<T: Wire, E: Wire>(&self, question: &[u8]) -> Result<Result<T, E>, SpiderError> {
        self.ask(question, frames::read_stepped)?.or_else(|panic| resume_unwind(Box::new(panic)))
    }

    /// A child at rest that still lives. One that died in its sleep is no page's fault.
    fn idle_child(&self) -> Option<Child> {
        loop {
            let child = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut child = child?;
            if child.is_alive() {
                return Some(child);
            }
        }
    }

    fn obituary(&self, child: Child) -> String {
        let mut text = format!("the spider's process {}", child.end());
        if let Some(bytes) = self.launch.memory_bytes {
            text.push_str(&format!(
                "; its memory is limited to {} MiB (spider.memory-mib)",
                bytes >> 20
            ));
        }
        text
    }
}

impl ItemStep for Isolated {
    fn name(&self) -> &str {
        self.welcome.description.item_step.as_deref().unwrap_or_default()
    }

    fn process(&self, item: Value, page: &PageInfo<'_>) -> Result<Value, Dropped> {
        self.step(&frames::item(&ItemFrame::new(item, page))).unwrap_or_else(|e| Err(e.into()))
    }
}

impl RequestStep for Isolated {
    fn name(&self) -> &str {
        self.welcome.description.request_step.as_deref().unwrap_or_default()
    }

    fn process(&self, request: &mut Request) -> Result<(), Refusal> {
        let done = self.step(&frames::request(request));
        *request = done.unwrap_or_else(|error| Err(Refusal::new(error.chain())))?;
        Ok(())
    }
}

/// What it wants and which rules it has is the child's affair, where the pages are opened for it.
impl Spider for Isolated {
    fn name(&self) -> &str {
        &self.welcome.description.name
    }

    fn item_step(&self) -> Option<&dyn ItemStep> {
        self.welcome.description.item_step.as_ref().map(|_| self as &dyn ItemStep)
    }

    fn request_step(&self) -> Option<&dyn RequestStep> {
        self.welcome.description.request_step.as_ref().map(|_| self as &dyn RequestStep)
    }

    fn start(&self, out: &mut Harvest) -> Result<(), SpiderError> {
        self.call(&frames::start(), out)
    }

    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        self.call(&frames::parse(page), out)
    }

    fn error(&self, failed: &FailedRequest<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        self.call(&frames::error(&FailedFrame::from(failed)), out)
    }

    fn closed(&self, closed: &Closed<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        self.call(&frames::closed(&ClosedFrame::from(closed)), out)
    }

    fn wants_status(&self, status: u16) -> bool {
        self.welcome.statuses.get(usize::from(status)).copied().unwrap_or(false)
    }
}

impl fmt::Debug for Isolated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Isolated({})", self.welcome.description.name)
    }
}

/// A child process and the pipe to it. Dropped, it is killed.
struct Child {
    process: Process,
    pipe: Pipe,
}

impl Child {
    fn start(launch: &Launch) -> Result<(Self, Welcome), IsolationError> {
        let mut child = Self::spawn(launch).map_err(IsolationError::Spawn)?;
        let time = launch.max_time.map(|time| time.max(LEAST_START));
        let deadline = time.map(|time| Instant::now() + time);
        let greeting = Greeting {
            version: VERSION.to_owned(),
            setup: launch.setup.clone(),
            memory_bytes: launch.memory_bytes,
        };
        let welcome = match child.ask(&frames::greet(&greeting), deadline) {
            Ok(answer) => frames::read_welcome(answer),
            Err(PipeError::Gone) => return Err(IsolationError::Died(child.end())),
            Err(PipeError::Late) => return Err(IsolationError::Late(time.unwrap_or_default())),
            Err(error) => return Err(IsolationError::Protocol(error.into())),
        };
        let welcome = welcome.map_err(|error| IsolationError::Protocol(error.into()))?;
        let welcome = welcome.map_err(IsolationError::Refused)?;
        if welcome.version != VERSION || welcome.statuses.len() != STATUSES.len() {
            let error = WireError::Wrong("version");
            return Err(IsolationError::Protocol(error.into()));
        }
        Ok((child, welcome))
    }

    /// Both ends of the socket pair are closed at exec but for the child's, which is its standard
    /// input: nobody else holds an end, so each side sees when the other has gone.
    fn spawn(launch: &Launch) -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        // What the plugin prints is for people, not among the results.
        let printed: OwnedFd = io::stderr().as_fd().try_clone_to_owned()?;
        let process = (launch.command)()
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::from(printed))
            .stderr(Stdio::inherit())
            .spawn()?;
        Ok(Self { process, pipe: Pipe::new(ours) })
    }

    fn ask(&mut self, question: &[u8], deadline: Option<Instant>) -> Result<&[u8], PipeError> {
        self.pipe.send(question, deadline)?;
        self.pipe.receive(deadline)
    }

    fn is_alive(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(None))
    }

    /// How it died, for people. It has hung up, so it is dying or dead.
    fn end(mut self) -> String {
        // A process that hung up but lives on would be waited for in vain.
        let begun = Instant::now();
        let status = loop {
            match self.process.try_wait() {
                Ok(None) if begun.elapsed() < Duration::from_millis(500) => {
                    std::thread::sleep(Duration::from_millis(1));
                }
                other => break other,
            }
        };
        match status {
            Ok(Some(status)) => how(status),
            Ok(None) => "hung up".to_owned(),
            Err(error) => format!("is lost: {error}"),
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Both fail only if it is gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn how(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(signal), _) => match name_of(signal) {
            Some((name, hint)) => format!("was killed by {name} ({hint})"),
            None => format!("was killed by signal {signal}"),
        },
        (None, Some(code)) => format!("ended with exit code {code}"),
        (None, None) => "ended".to_owned(),
    }
}

/// Signals that a crash ends with, and what they mostly mean. The numbers are those that all
/// Unixes share.
fn name_of(signal: i32) -> Option<(&'static str, &'static str)> {
    Some(match signal {
        4 => ("SIGILL", "a broken instruction"),
        6 => ("SIGABRT", "an abort: a stack overflow, no memory left, a panic that may not unwind"),
        8 => ("SIGFPE", "a broken sum"),
        9 => ("SIGKILL", "by the system, out of memory, or by somebody"),
        11 => ("SIGSEGV", "an access to memory that is not there"),
        _ => return None,
    })
}

fn garbage(error: &dyn std::error::Error) -> String {
    format!("what the spider's process answered is broken: {}", chain(error))
}

/// An error with its sources.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
