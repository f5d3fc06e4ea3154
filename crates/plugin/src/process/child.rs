//! The child's half: answers one question after the other until the parent hangs up.

use std::any::Any;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use crawl_spider::abi::wire::Description;
use crawl_spider::{Harvest, PageInfo, Spider, SpiderError};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Resource, Rlimit, Signal, getpid, getrlimit, kill_process, setrlimit};

use super::frames::{self, Called, Question, STATUSES, Sent, VERSION, Welcome};
use super::pipe::{MAX_FRAME_BYTES, Pipe, PipeError};

/// What the program brings: a spider, and pages for it.
pub trait Guest {
    /// The spider.
    fn spider(&self) -> &dyn Spider;

    /// Opens a page and gives it to the spider's `parse`.
    ///
    /// # Errors
    /// What the spider returns.
    fn parse(&self, page: &Sent, out: &mut Harvest) -> Result<(), SpiderError>;
}

/// Serves the parent whose child this process is, over what was its standard input. `load` makes
/// the guest of [`Launch::setup`](super::Launch::setup); its error is told to the parent.
///
/// From here on the process has an empty standard input, leaves no core files, takes no more
/// memory than the parent allows, and ends as soon as the parent has gone, whatever it is at.
///
/// # Errors
/// [`io::Error`] if standard input is no parent's socket, or the parent does not keep to the
/// protocol.
pub fn serve<G: Guest>(load: impl FnOnce(&str) -> Result<G, String>) -> io::Result<()> {
    let stream = take_stdin()?;
    die_with(stream.try_clone()?)?;
    limit(Resource::Core, 0)?;
    serve_on(stream, load)
}

/// The same on a socket of its own, without what concerns the process.
pub(super) fn serve_on<G: Guest>(
    stream: UnixStream,
    load: impl FnOnce(&str) -> Result<G, String>,
) -> io::Result<()> {
    let mut pipe = Pipe::new(stream);
    let Some(Question::Greet(greeting)) = next(&mut pipe)? else {
        return Err(io::Error::other("not called by a crawl: there is no greeting"));
    };
    if greeting.version != VERSION {
        return refuse(&mut pipe, format!("{} is not {VERSION}", greeting.version));
    }
    if let Some(bytes) = greeting.memory_bytes {
        limit_memory(bytes)?;
    }
    let guest = match guarded(|| load(&greeting.setup)) {
        Ok(guest) => guest,
        Err(text) => return refuse(&mut pipe, text),
    };
    let welcome = guarded(|| {
        let spider = guest.spider();
        let statuses = STATUSES.map(|status| spider.wants_status(status)).collect();
        let description = Description {
            name: spider.name().to_owned(),
            wants: spider.wants(),
            expressions: spider.expressions(),
            item_step: spider.item_step().map(|step| step.name().to_owned()),
            request_step: spider.request_step().map(|step| step.name().to_owned()),
        };
        Ok(Welcome { version: VERSION.to_owned(), description, statuses })
    });
    send(&mut pipe, &frames::welcome(&welcome))?;
    while let Some(question) = next(&mut pipe)? {
        let answer = answer(&guest, question)?;
        send(&mut pipe, &answer)?;
    }
    Ok(())
}

/// The next question; `None` if the parent has gone.
fn next(pipe: &mut Pipe) -> io::Result<Option<Question>> {
    match pipe.receive(None) {
        Ok(frame) => Question::read(frame).map(Some).map_err(io::Error::other),
        Err(PipeError::Gone) => Ok(None),
        Err(error) => Err(io::Error::other(error)),
    }
}

fn send(pipe: &mut Pipe, frame: &[u8]) -> io::Result<()> {
    match pipe.send(frame, None) {
        // Nobody waits for it any more; the next question will not come either.
        Ok(()) | Err(PipeError::Gone) => Ok(()),
        Err(error) => Err(io::Error::other(error)),
    }
}

fn refuse(pipe: &mut Pipe, text: String) -> io::Result<()> {
    send(pipe, &frames::welcome(&Err(text)))
}

fn answer(guest: &impl Guest, question: Question) -> io::Result<Vec<u8>> {
    let spider = guest.spider();
    Ok(match &question {
        Question::Greet(_) => return Err(io::Error::other("the parent greets twice")),
        Question::Start => call(|out| spider.start(out)),
        Question::Parse(page) => call(|out| guest.parse(page, out)),
        Question::Error(failed) => call(|out| spider.error(&failed.as_failed(), out)),
        Question::Closed(closed) => call(|out| spider.closed(&closed.as_closed(), out)),
        Question::Item(frame) => {
            let page = PageInfo::new(&frame.request, frame.status);
            let item = frame.item.clone();
            let done = caught(|| match spider.item_step() {
                Some(step) => step.process(item, &page),
                None => Ok(item),
            });
            frames::stepped(&done)
        }
        Question::Request(request) => {
            let mut request = request.clone();
            let done = caught(|| match spider.request_step() {
                Some(step) => step.process(&mut request).map(|()| request),
                None => Ok(request),
            });
            frames::stepped(&done)
        }
    })
}

/// Makes a call and answers how it ended, with what it brought.
fn call(callback: impl FnOnce(&mut Harvest) -> Result<(), SpiderError>) -> Vec<u8> {
    let mut out = Harvest::new();
    let called = match caught(|| callback(&mut out)) {
        Ok(Ok(())) => Called::Done,
        Ok(Err(SpiderError::Panicked(text))) | Err(text) => Called::Panic(text),
        Ok(Err(error)) => Called::Error(error.chain()),
    };
    let frame = frames::answer(&called, &out.into_parts());
    if frame.len() <= MAX_FRAME_BYTES {
        return frame;
    }
    let size = frame.len() >> 20;
    let most = MAX_FRAME_BYTES >> 20;
    let text = format!("one callback brought {size} MiB, and {most} MiB is the most");
    frames::answer(&Called::Error(text), &Harvest::new().into_parts())
}

/// What `work` gives, or the message of its panic.
fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(panic_text)
}

/// A panic is an error with its message.
fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    caught(work).unwrap_or_else(|text| Err(format!("the plugin panicked: {text}")))
}

fn panic_text(panic: Box<dyn Any + Send>) -> String {
    let text = match panic.downcast_ref::<&str>() {
        Some(text) => (*text).to_owned(),
        None => panic.downcast_ref::<String>().cloned().unwrap_or_default(),
    };
    // Its drop could panic again; better lost than that.
    std::mem::forget(panic);
    if text.is_empty() { "a panic without a message".to_owned() } else { text }
}

/// Takes the socket off standard input and puts nothing in its place, so that a plugin that reads
/// there does not eat frames.
fn take_stdin() -> io::Result<UnixStream> {
    let socket: OwnedFd = io::stdin().as_fd().try_clone_to_owned()?;
    rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
    let stream = UnixStream::from(socket);
    // A terminal or a file is no socket, and has no peer.
    stream.peer_addr()?;
    Ok(stream)
}

/// Ends the process when the other end of `stream` has gone, whatever it is at then.
///
/// Not by `PR_SET_PDEATHSIG`: that is sent when the *thread* has ended that started the child.
fn die_with(stream: UnixStream) -> io::Result<()> {
    let watch = move || loop {
        // A hang-up is told whether it is asked for or not, and nothing else is asked for.
        let mut watched = [PollFd::new(&stream, PollFlags::empty())];
        let polled = poll(&mut watched, None);
        if polled.is_ok() && watched[0].revents().intersects(PollFlags::HUP | PollFlags::ERR) {
            // Not `exit`, which runs code of the plugin's that may not end.
            let _ = kill_process(getpid(), Signal::KILL);
        }
    };
    thread::Builder::new().name("crawl-parent".to_owned()).spawn(watch).map(drop)
}

/// Lets the process take `bytes` more for its own data than it has now.
fn limit_memory(bytes: u64) -> io::Result<()> {
    match data_bytes() {
        // What is only reserved (address space, shared libraries) is not counted.
        Some(now) => limit(Resource::Data, now.saturating_add(bytes)),
        None => limit(Resource::As, bytes),
    }
}

fn limit(resource: Resource, most: u64) -> io::Result<()> {
    let hard = getrlimit(resource).maximum;
    let most = hard.map_or(most, |hard| hard.min(most));
    Ok(setrlimit(resource, Rlimit { current: Some(most), maximum: hard })?)
}

/// What counts for the limit already; `None` where the system does not tell.
fn data_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmData:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
