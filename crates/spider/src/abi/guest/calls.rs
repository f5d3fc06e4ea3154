//! The callbacks behind a header.

use std::any::Any;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use crawl_model::Request;

use super::line::{HostPanicked, Line, bytes};
use super::page::GuestPage;
use crate::abi::layout::{Call, ERROR, MISUSE, OK, PANIC, Slice};
use crate::abi::wire::{
    ClosedFrame, Description, FailedFrame, ItemFrame, Reader, UrlBook, Wire, WireError, frame,
    get_page_head,
};
use crate::{
    Args, FromArgs, Harvest, Harvested, ItemQuery, Page, PageInfo, Spider, SpiderError, prepare,
};

/// What the host's pointer to a spider leads to.
struct Plugin {
    spider: Arc<dyn Spider>,
    /// What it wants of all pages, after it was asked.
    wants: OnceLock<Vec<ItemQuery>>,
}

/// Why a callback has no answer.
enum Refusal {
    Error(String),
    Panic(String),
    Misuse(WireError),
}

impl From<WireError> for Refusal {
    fn from(error: WireError) -> Self {
        Self::Misuse(error)
    }
}

impl From<SpiderError> for Refusal {
    fn from(error: SpiderError) -> Self {
        Self::Error(error.chain())
    }
}

pub(super) unsafe extern "C" fn create<S: FromArgs>(
    call: *const Call,
    spider: *mut *mut c_void,
) -> u32 {
    // SAFETY: the host hands over a call that it keeps until this returns.
    let call = unsafe { &*call };
    guarded(call, |_| {
        // SAFETY: likewise its input.
        let text = unsafe { bytes(call.input) };
        let args: Args = serde_json::from_slice(text).map_err(SpiderError::Args)?;
        // With its rules, which are followed on this side.
        let made = prepare(Arc::new(S::from_args(&args)?));
        let plugin = Box::new(Plugin { spider: made, wants: OnceLock::new() });
        // SAFETY: the host points to a place of its own for this pointer.
        unsafe { *spider = Box::into_raw(plugin).cast() };
        Ok(())
    })
}

pub(super) unsafe extern "C" fn destroy(call: *const Call, spider: *mut c_void) -> u32 {
    // SAFETY: the host hands over a call that it keeps until this returns.
    let call = unsafe { &*call };
    guarded(call, |_| {
        // SAFETY: `create` made it of a box, and the host gives it back once and for all.
        drop(unsafe { Box::from_raw(spider.cast::<Plugin>()) });
        Ok(())
    })
}

macro_rules! callbacks {
    ($($name:ident = $answer:path;)*) => {
        $(pub(super) unsafe extern "C" fn $name(call: *const Call, spider: *const c_void) -> u32 {
            // SAFETY: the host hands over a call that it keeps until this returns, and a pointer
            // that `create` wrote and `destroy` was not given. A `Plugin` may be shared by threads.
            let (call, plugin) = unsafe { (&*call, &*spider.cast::<Plugin>()) };
            guarded(call, |out| $answer(plugin, call, out))
        })*
    };
}

callbacks! {
    describe = answer_describe;
    wants_status = answer_wants_status;
    start = answer_start;
    parse = answer_parse;
    error = answer_error;
    closed = answer_closed;
    item = answer_item;
    request = answer_request;
}

/// Runs a callback and sends its answer, or the message of what went wrong and behind it whatever
/// the answer was until then.
fn guarded(call: &Call, answer: impl FnOnce(&mut Vec<u8>) -> Result<(), Refusal>) -> u32 {
    let mut out = Vec::new();
    let done = catch_unwind(AssertUnwindSafe(|| answer(&mut out)));
    let (status, message) = match done {
        Ok(Ok(())) => (OK, None),
        Ok(Err(Refusal::Error(message))) => (ERROR, Some(message)),
        Ok(Err(Refusal::Panic(message))) => (PANIC, Some(message)),
        Ok(Err(Refusal::Misuse(error))) => (MISUSE, Some(error.to_string())),
        Err(panic) => (PANIC, Some(panic_text(panic))),
    };
    if let Some(message) = message {
        put(call, &frame(&message));
    }
    put(call, &out);
    status
}

fn put(call: &Call, bytes: &[u8]) {
    // SAFETY: the sink is the host's, for the length of the call; it copies before it returns.
    unsafe { (call.answer.put)(call.answer.to, Slice::of(bytes)) }
}

/// As the host reads it of a panic of its own.
fn panic_text(panic: Box<dyn Any + Send>) -> String {
    if panic.is::<HostPanicked>() {
        return "a service of the host panicked".to_owned();
    }
    if let Some(text) = panic.downcast_ref::<&str>() {
        return (*text).to_owned();
    }
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(other) => {
            // Its drop could panic again; better lost than that.
            std::mem::forget(other);
            "a panic without a message".to_owned()
        }
    }
}

fn answer_describe(plugin: &Plugin, _: &Call, out: &mut Vec<u8>) -> Result<(), Refusal> {
    let spider = &plugin.spider;
    let description = Description {
        name: spider.name().to_owned(),
        wants: plugin.wants.get_or_init(|| spider.wants()).clone(),
        expressions: spider.expressions(),
        item_step: spider.item_step().map(|step| step.name().to_owned()),
        request_step: spider.request_step().map(|step| step.name().to_owned()),
    };
    description.put(out);
    Ok(())
}

fn answer_item(plugin: &Plugin, call: &Call, out: &mut Vec<u8>) -> Result<(), Refusal> {
    // SAFETY: the host keeps the input until the callback returns.
    let frame: ItemFrame = Reader::trusted(unsafe { bytes(call.input) }).whole()?;
    let done = match plugin.spider.item_step() {
        Some(step) => step.process(frame.item, &PageInfo::new(&frame.request, frame.status)),
        None => Ok(frame.item),
    };
    done.put(out);
    Ok(())
}

fn answer_request(plugin: &Plugin, call: &Call, out: &mut Vec<u8>) -> Result<(), Refusal> {
    // SAFETY: the host keeps the input until the callback returns.
    let mut request: Request = Reader::trusted(unsafe { bytes(call.input) }).whole()?;
    let done = match plugin.spider.request_step() {
        Some(step) => step.process(&mut request).map(|()| request),
        None => Ok(request),
    };
    done.put(out);
    Ok(())
}

fn answer_wants_status(plugin: &Plugin, call: &Call, out: &mut Vec<u8>) -> Result<(), Refusal> {
    let status = u16::try_from(call.number).map_err(|_| WireError::Wrong("status"))?;
    plugin.spider.wants_status(status).put(out);
    Ok(())
}

fn answer_start(plugin: &Plugin, _: &Call, out: &mut Vec<u8>) -> Result<(), Refusal> {
    let reaped = reap(|harvest| plugin.spider.start(harvest));
    reaped.send(&mut (), out)
}

fn answer_error(plugin: &Plugin, call: &Call, out: &mut Vec<u8>) -> Result<(), Refusal> {
    // SAFETY: the host keeps the input until the callback returns.
    let failed: FailedFrame = Reader::trusted(unsafe { bytes(call.input) }).whole()?;
    let reaped = reap(|harvest| plugin.spider.error(&failed.as_failed(), harvest));
    reaped.send(&mut (), out)
}

fn answer_closed(plugin: &Plugin, call: &Call, out: &mut Vec<u8>) -> Result<(), Refusal> {
    // SAFETY: the host keeps the input until the callback returns.
    let closed: ClosedFrame = Reader::trusted(unsafe { bytes(call.input) }).whole()?;
    let reaped = reap(|harvest| plugin.spider.closed(&closed.as_closed(), harvest));
    reaped.send(&mut (), out)
}

fn answer_parse(plugin: &Plugin, call: &Call, out: &mut Vec<u8>) -> Result<(), Refusal> {
    // SAFETY: the host keeps input and body until the callback returns.
    let (input, body) = unsafe { (bytes(call.input), bytes(call.body)) };
    let from = &mut Reader::trusted(input);
    let request: Request = from.get()?;
    // SAFETY: the response is dropped before this function returns, and neither it nor a `Bytes` of
    // it can be had from a `Page`.
    let mut response = get_page_head(from, |value| unsafe { lend(value) })?;
    from.end()?;
    // SAFETY: likewise.
    response.body = unsafe { lend(body) };
    // SAFETY: host and services are those of this call, and the page ends with this function.
    let line = unsafe { Line::of(call) };
    let services = GuestPage::new(line, plugin.wants.get().map_or(&[], Vec::as_slice));
    let page = Page::new(&request, &response, &services);
    let reaped = reap(|harvest| plugin.spider.parse(&page, harvest));
    services.with_book(|book| reaped.send(book, out))
}

/// What a callback brought in, and how it ended.
struct Reaped {
    harvested: Harvested,
    refusal: Option<Refusal>,
}

/// Runs a callback. Of one that fails, log lines and counts are kept.
fn reap(callback: impl FnOnce(&mut Harvest) -> Result<(), SpiderError>) -> Reaped {
    let mut harvest = Harvest::new();
    let done = catch_unwind(AssertUnwindSafe(|| callback(&mut harvest)));
    let mut harvested = harvest.into_parts();
    let refusal = match done {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.into()),
        Err(panic) => Some(Refusal::Panic(panic_text(panic))),
    };
    if refusal.is_some() {
        harvested.items.clear();
        harvested.follows.clear();
    }
    Reaped { harvested, refusal }
}

impl Reaped {
    fn send(self, book: &mut impl UrlBook, out: &mut Vec<u8>) -> Result<(), Refusal> {
        self.harvested.encode_with(book, out);
        self.refusal.map_or(Ok(()), Err)
    }
}

/// Bytes of the host's, not copied.
///
/// # Safety
/// What is made must be gone when they are.
unsafe fn lend(bytes: &[u8]) -> Bytes {
    // SAFETY: only the lifetime is longer than the truth, and the caller sees to it.
    Bytes::from_static(unsafe { std::slice::from_raw_parts(bytes.as_ptr(), bytes.len()) })
}
