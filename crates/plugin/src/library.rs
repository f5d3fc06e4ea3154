//! Libraries in memory, and calls into them.

#![allow(unsafe_code, reason = "the host's side of the boundary; each block says why")]

use std::ffi::c_void;

use crawl_spider::abi::layout::{
    Answer, Ask, Call, Callback, Functions, HEADER_DATA, Header, MISUSE, OK, Serve, Sink, Slice,
};
use crawl_spider::abi::wire::frame;
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};

use crate::{About, PluginError};

/// Most bytes of one answer. No page gives as much.
const MOST_BYTES: usize = 256 << 20;

/// Opens a library that was inspected, for the rest of the process.
pub(crate) fn open(about: &About) -> Result<&'static Functions, PluginError> {
    let load = |source| PluginError::Load { path: about.path.clone(), source };
    // Everything is bound now: a symbol that is missing is an error here and not a crash later.
    // SAFETY: this runs the library's constructors. It is a plugin of the SDK by its header, and
    // whoever named it to the crawl lets its code run anyway.
    let library =
        unsafe { Library::open(Some(&about.path), RTLD_NOW | RTLD_LOCAL) }.map_err(load)?;
    // SAFETY: by its magic and sizes the symbol is a `Header` of this very shape.
    let symbol = unsafe { library.get::<*const Header>(about.symbol.as_bytes()) };
    let header: *const Header = *symbol.map_err(load)?;
    // It is never closed: threads may stand in its code, and its destructors of thread-locals run
    // when they end.
    let _ = library.into_raw();
    // SAFETY: the loader has just found it, and it stays for as long as the process does.
    let data = unsafe { std::slice::from_raw_parts(header.cast::<u8>(), HEADER_DATA) };
    if *data != about.header[..] {
        return Err(PluginError::Changed { path: about.path.clone() });
    }
    // SAFETY: likewise; a static of that type, which nobody writes to.
    Ok(unsafe { &(*header).functions })
}

/// What a callback answered.
pub(crate) struct Answered {
    /// How it went.
    pub(crate) status: u32,
    /// What it put into the sink.
    pub(crate) bytes: Vec<u8>,
}

/// What a callback is given.
#[derive(Clone, Copy)]
pub(crate) struct Input<'a> {
    pub(crate) frame: &'a [u8],
    pub(crate) body: &'a [u8],
    pub(crate) number: u64,
    pub(crate) host: *const c_void,
    pub(crate) serve: Serve,
}

impl Input<'_> {
    /// Nothing.
    pub(crate) const NONE: Self =
        Self { frame: &[], body: &[], number: 0, host: std::ptr::null(), serve: serves_nothing };
}

/// A spider of a plugin, made by `create` and not destroyed yet.
pub(crate) struct Instance {
    functions: &'static Functions,
    spider: *mut c_void,
}

// SAFETY: what is behind the pointer is a `Spider`, which is `Send` and `Sync`; the guest half of
// the SDK makes it of one.
unsafe impl Send for Instance {}
// SAFETY: as above.
unsafe impl Sync for Instance {}

impl Instance {
    /// Makes a spider; or how that went.
    pub(crate) fn create(functions: &'static Functions, args: &[u8]) -> Result<Self, Answered> {
        let mut spider = std::ptr::null_mut();
        let input = Input { frame: args, ..Input::NONE };
        let answered = with_call(input, |call| {
            // SAFETY: both pointers are to this function's own, and are used during the call only.
            unsafe { (functions.create)(call, &raw mut spider) }
        });
        match answered.status {
            OK if !spider.is_null() => Ok(Self { functions, spider }),
            _ => Err(answered),
        }
    }

    /// Calls one of its callbacks.
    pub(crate) fn call(
        &self,
        callback: impl FnOnce(&Functions) -> Callback,
        input: Input<'_>,
    ) -> Answered {
        let callback = callback(self.functions);
        with_call(input, |call| {
            // SAFETY: the spider lives until this instance is dropped, and takes calls from any
            // thread. The call and all it points to live until the callback returns.
            unsafe { callback(call, self.spider) }
        })
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let destroy = self.functions.destroy;
        // A panic in its drop has been told by the plugin's own hook; there is nobody to tell here.
        let _ = with_call(Input::NONE, |call| {
            // SAFETY: nobody calls it any more, and it is given back once.
            unsafe { destroy(call, self.spider) }
        });
    }
}

/// Does a call, and gathers what it answers.
fn with_call(input: Input<'_>, make: impl FnOnce(*const Call) -> u32) -> Answered {
    let mut gathered = Gathered { bytes: Vec::new(), is_too_much: false };
    let call = Call {
        input: Slice::of(input.frame),
        body: Slice::of(input.body),
        number: input.number,
        answer: Sink { put: gather, to: (&raw mut gathered).cast() },
        host: input.host,
        serve: input.serve,
    };
    let status = make(&raw const call);
    if gathered.is_too_much {
        let bytes = frame(&format!("it has more than {} MiB", MOST_BYTES >> 20));
        return Answered { status: MISUSE, bytes };
    }
    Answered { status, bytes: gathered.bytes }
}

struct Gathered {
    bytes: Vec<u8>,
    is_too_much: bool,
}

unsafe extern "C" fn gather(to: *mut c_void, slice: Slice) {
    // SAFETY: the pointer is that of `with_call`'s sink, whose call has not returned.
    let gathered = unsafe { &mut *to.cast::<Gathered>() };
    // SAFETY: the plugin keeps the bytes until this returns.
    let bytes = unsafe { bytes(&slice) };
    if gathered.bytes.len().saturating_add(bytes.len()) > MOST_BYTES {
        gathered.is_too_much = true;
    } else if !gathered.is_too_much {
        gathered.bytes.extend_from_slice(bytes);
    }
}

/// The bytes of a slice of the other side.
///
/// # Safety
/// They must be there for as long as the slice is borrowed.
pub(crate) unsafe fn bytes(slice: &Slice) -> &[u8] {
    if slice.first.is_null() || slice.len == 0 || slice.len > isize::MAX as usize {
        return &[];
    }
    // SAFETY: as above.
    unsafe { std::slice::from_raw_parts(slice.first, slice.len) }
}

/// For callbacks without a page.
unsafe extern "C" fn serves_nothing(_: *const c_void, _: *const Ask, _: *mut Answer) -> u32 {
    MISUSE
}
