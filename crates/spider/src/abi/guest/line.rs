//! Questions to the host.

use std::ffi::c_void;
use std::marker::PhantomData;
use std::panic::resume_unwind;

use crate::abi::layout::{
    Answer, Ask, BORROWED, Call, FAILED, MADE, NO_NODE, OK, PANIC, Serve, Service, Sink, Slice,
};
use crate::abi::wire::{Reader, Wire};
use crate::{NodeId, SelectorError};

/// The way to the host, for one callback.
#[derive(Clone, Copy)]
pub(super) struct Line<'h> {
    host: *const c_void,
    serve: Serve,
    borrowed: PhantomData<&'h ()>,
}

/// What unwinds through the spider after a service of the host panicked.
pub(super) struct HostPanicked;

/// A question in the making.
pub(super) struct Question<'h, 'q> {
    line: Line<'h>,
    service: Service,
    node: Option<NodeId>,
    numbers: [u64; 4],
    text: &'q str,
    more: &'q [u8],
}

/// What the host answered.
pub(super) enum Reply<'h> {
    /// Nothing.
    Nothing,
    /// A text of the host's own.
    Borrowed(&'h str),
    /// Something that was made for the question, and is ours now.
    Made(Vec<u8>),
}

impl<'h> Line<'h> {
    /// The line of a call.
    ///
    /// # Safety
    /// `host` and `serve` of the call must be as the host made them, and `'h` must end before the
    /// callback returns.
    pub(super) unsafe fn of(call: &'h Call) -> Self {
        Self { host: call.host, serve: call.serve, borrowed: PhantomData }
    }

    /// Begins a question about the page.
    pub(super) fn ask<'q>(self, service: Service) -> Question<'h, 'q> {
        Question { line: self, service, node: None, numbers: [0; 4], text: "", more: &[] }
    }
}

impl<'h, 'q> Question<'h, 'q> {
    pub(super) fn at(mut self, node: Option<NodeId>) -> Self {
        self.node = node;
        self
    }

    pub(super) fn numbers(mut self, numbers: [usize; 4]) -> Self {
        self.numbers = numbers.map(|number| number as u64);
        self
    }

    pub(super) fn text(mut self, text: &'q str) -> Self {
        self.text = text;
        self
    }

    pub(super) fn more(mut self, more: &'q [u8]) -> Self {
        self.more = more;
        self
    }

    /// Any answer.
    pub(super) fn reply(self) -> Reply<'h> {
        let mut made = Vec::new();
        Reply::of(self.send(copying(&mut made)), made)
    }

    /// A number; `None` for nothing.
    pub(super) fn number(self) -> Option<usize> {
        let answer = self.send(NO_SINK);
        (answer.kind == BORROWED).then_some(answer.number as usize)
    }

    /// A text of the host's; `None` for nothing.
    pub(super) fn borrowed_text(self) -> Option<&'h str> {
        let answer = self.send(NO_SINK);
        // SAFETY: a borrowed text stays as it is until the callback returns, and is UTF-8, by
        // contract: the host has it from a `&str`.
        (answer.kind == BORROWED).then(|| unsafe { text(answer.slice) })
    }

    /// A number and a table of slices; `None` for nothing.
    pub(super) fn table(self) -> Option<(usize, &'h [Slice])> {
        let answer = self.send(NO_SINK);
        let Slice { first, len } = answer.slice;
        let slices = match len {
            0 => &[],
            // SAFETY: the service lends that many slices, which stay until the callback returns.
            _ => unsafe { std::slice::from_raw_parts(first.cast::<Slice>(), len) },
        };
        (answer.kind == BORROWED).then_some((answer.number as usize, slices))
    }

    /// The number of what a search found; `None` for nothing.
    #[inline]
    pub(super) fn found(self) -> Result<Option<usize>, SelectorError> {
        let mut made = Vec::new();
        let answer = self.send(copying(&mut made));
        match answer.kind {
            BORROWED => Ok(Some(answer.number as usize)),
            FAILED => Err(read(self.service, &made)),
            _ => Ok(None),
        }
    }

    /// The number of what a search found, and what it made; `None` for nothing.
    pub(super) fn found_and_made<T: Wire>(self) -> Result<Option<(usize, T)>, SelectorError> {
        let mut made = Vec::new();
        let answer = self.send(copying(&mut made));
        match answer.kind {
            BORROWED => Ok(Some((answer.number as usize, read(self.service, &made)))),
            FAILED => Err(read(self.service, &made)),
            _ => Ok(None),
        }
    }

    /// The text of what a search found.
    #[inline]
    pub(super) fn found_text(self) -> Result<Reply<'h>, SelectorError> {
        let mut made = Vec::new();
        let answer = self.send(copying(&mut made));
        match answer.kind {
            FAILED => Err(read(self.service, &made)),
            _ => Ok(Reply::of(answer, made)),
        }
    }

    /// A value that was made; `None` for nothing.
    pub(super) fn made<T: Wire>(self) -> Option<T> {
        let service = self.service;
        let Reply::Made(bytes) = self.reply() else { return None };
        Some(read(service, &bytes))
    }

    /// A text that was made.
    pub(super) fn made_text(self) -> String {
        match self.reply() {
            Reply::Made(bytes) => into_text(bytes),
            Reply::Nothing | Reply::Borrowed(_) => String::new(),
        }
    }

    /// Texts of the host's.
    pub(super) fn borrowed_texts(self) -> Vec<&'h str> {
        let mut slices: Vec<Slice> = Vec::new();
        let to = (&raw mut slices).cast();
        self.send(Sink { put: keep, to });
        // SAFETY: the service puts `&str`s only that stay as they are until the callback returns.
        slices.into_iter().map(|slice| unsafe { text(slice) }).collect()
    }

    #[inline]
    fn send(&self, sink: Sink) -> Answer {
        let ask = Ask {
            service: self.service as u32,
            node: self.node.map_or(NO_NODE, |node| node.0),
            numbers: self.numbers,
            text: Slice::of(self.text.as_bytes()),
            more: Slice::of(self.more),
            answer: sink,
        };
        let mut answer = Answer::EMPTY;
        let Line { host, serve, .. } = self.line;
        // SAFETY: `Line::of` was promised that these are the host's and that the call is still on.
        // The question and all it points to live on this stack frame until `serve` returns.
        match unsafe { serve(host, &raw const ask, &raw mut answer) } {
            OK => answer,
            // It waits at the host until the callback has returned.
            PANIC => resume_unwind(Box::new(HostPanicked)),
            status => panic!("the host does not serve {:?} (status {status})", self.service),
        }
    }
}

impl<'h> Reply<'h> {
    /// What an answer and the bytes behind it are.
    #[inline]
    fn of(answer: Answer, made: Vec<u8>) -> Self {
        match answer.kind {
            // SAFETY: as in `borrowed_text`.
            BORROWED => Self::Borrowed(unsafe { text(answer.slice) }),
            MADE => Self::Made(made),
            _ => Self::Nothing,
        }
    }
}

/// A value that was made.
fn read<T: Wire>(service: Service, made: &[u8]) -> T {
    // The frames of both sides are of one form, or the host would not have called.
    let senseless = |error| panic!("the host's answer to {service:?}: {error}");
    Reader::trusted(made).whole().unwrap_or_else(senseless)
}

/// A text that was made.
pub(super) fn into_text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// A sink that appends to `bytes`, which must live as long as the sink is used.
pub(super) fn copying(bytes: &mut Vec<u8>) -> Sink {
    Sink { put: copy, to: (&raw mut *bytes).cast() }
}

const NO_SINK: Sink = Sink { put: refuse, to: std::ptr::null_mut() };

unsafe extern "C" fn copy(to: *mut c_void, more: Slice) {
    // SAFETY: `to` is the vector of `copying`, which nobody else uses while the host is asked, and
    // the bytes are the host's for the length of this call.
    unsafe { (*to.cast::<Vec<u8>>()).extend_from_slice(bytes(more)) }
}

unsafe extern "C" fn keep(to: *mut c_void, slice: Slice) {
    // SAFETY: `to` is the vector of `borrowed_texts`, which nobody else uses meanwhile.
    unsafe { (*to.cast::<Vec<Slice>>()).push(slice) }
}

/// For services that answer without a sink.
unsafe extern "C" fn refuse(_: *mut c_void, _: Slice) {}

/// The bytes of a slice.
///
/// # Safety
/// They must be there, and stay as they are for `'a`.
pub(super) unsafe fn bytes<'a>(slice: Slice) -> &'a [u8] {
    if slice.first.is_null() || slice.len == 0 {
        return &[];
    }
    // SAFETY: as above.
    unsafe { std::slice::from_raw_parts(slice.first, slice.len) }
}

/// The text of a slice.
///
/// # Safety
/// As for [`bytes`], and it must be UTF-8.
pub(super) unsafe fn text<'a>(slice: Slice) -> &'a str {
    // SAFETY: as above.
    unsafe { std::str::from_utf8_unchecked(bytes(slice)) }
}
