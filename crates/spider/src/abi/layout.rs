//! What both sides agree on, byte by byte.
//!
//! Only these structs and plain bytes cross the boundary. Whoever makes bytes owns and frees them;
//! the other side looks at them while a call lasts: borrowed ones through a [`Slice`], what was
//! made for the call through a [`Sink`], which copies. So no side ever frees the other's memory.

use std::ffi::c_void;

/// How every header begins, in this version of the boundary and in all others.
pub const MAGIC: [u8; 16] = *b"crawl-plugin\0\xff\r\n";

/// The version of the boundary: raised with each change of what is in this file.
pub const ABI_VERSION: u32 = 1;

/// How the name of a header's symbol begins; the name of the plugin's crate follows.
pub const SYMBOL_PREFIX: &str = "crawl_plugin_";

/// The version of the SDK that this is.
pub const SDK_VERSION: &str = env!("CARGO_PKG_VERSION");

/// The compiler that built it.
pub const RUSTC_VERSION: &str = env!("CRAWL_RUSTC");

/// A number for the form of the frames: other sources, another number.
pub const FRAMES: u64 = parse_u64(env!("CRAWL_FRAMES"));

/// Most URLs that were resolved for a page and are known by their numbers; others are written out.
pub const MOST_JOINED: usize = 4096;

/// Rows of one batch of what the first matches of a query gave in the tree.
pub const ROWS_AT_ONCE: usize = 32;

/// The call went well. What follows in the sink is the answer.
pub const OK: u32 = 0;
/// The spider returned an error: its message is in the sink.
pub const ERROR: u32 = 1;
/// The spider panicked, or a service did: the message is in the sink.
pub const PANIC: u32 = 2;
/// What was handed over makes no sense to the other side.
pub const MISUSE: u32 = 3;

/// What a plugin exports. The beginning, up to the functions, can be read from the file.
#[repr(C)]
pub struct Header {
    /// [`MAGIC`].
    pub magic: [u8; 16],
    /// [`ABI_VERSION`].
    pub abi: u32,
    /// Sizes of [`Header`], [`Call`], [`Ask`] and [`Answer`], in bytes.
    pub sizes: [u32; 4],
    /// Whether panics unwind (1) or end the process (0).
    pub unwinds: u32,
    /// [`FRAMES`].
    pub frames: u64,
    /// [`SDK_VERSION`], zeros behind it.
    pub sdk: [u8; 32],
    /// [`RUSTC_VERSION`], zeros behind it.
    pub rustc: [u8; 64],
    /// Name of the plugin's crate, zeros behind it.
    pub name: [u8; 64],
    /// Version of the plugin's crate, zeros behind it.
    pub version: [u8; 32],
    /// What can be called.
    pub functions: Functions,
}

/// Bytes of [`Header`] before its functions.
pub const HEADER_DATA: usize = std::mem::offset_of!(Header, functions);

/// The sizes that a header names.
pub const SIZES: [u32; 4] = [
    size_of::<Header>() as u32,
    size_of::<Call>() as u32,
    size_of::<Ask>() as u32,
    size_of::<Answer>() as u32,
];

/// What can be called of a plugin. Each returns [`OK`] or why not.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Functions {
    /// Makes a spider of arguments (JSON in [`Call::input`]) and writes it to the pointer.
    pub create: unsafe extern "C" fn(call: *const Call, spider: *mut *mut c_void) -> u32,
    /// Takes a spider that `create` made, and drops it.
    pub destroy: unsafe extern "C" fn(call: *const Call, spider: *mut c_void) -> u32,
    /// Answers what it says of itself once, its rules included.
    pub describe: Callback,
    /// Answers whether it wants the status in [`Call::number`].
    pub wants_status: Callback,
    /// Answers a harvest.
    pub start: Callback,
    /// Reads the page of the call; answers a harvest.
    pub parse: Callback,
    /// Is told of a failed request, in [`Call::input`]; answers a harvest.
    pub error: Callback,
    /// Is told of the end, in [`Call::input`]; answers a harvest.
    pub closed: Callback,
    /// Puts the item in [`Call::input`] through its step; answers the item, or why it is dropped.
    pub item: Callback,
    /// Puts the request in [`Call::input`] through its step; answers it, or why it is refused.
    pub request: Callback,
}

/// Calls a spider that `create` made and `destroy` was not given. From any thread, and from
/// several at once.
pub type Callback = unsafe extern "C" fn(call: *const Call, spider: *const c_void) -> u32;

/// What a callback is given. All of it is borrowed for the length of the call.
#[repr(C)]
pub struct Call {
    /// What the callback reads: a frame, or JSON.
    pub input: Slice,
    /// The body of a page; empty for other callbacks.
    pub body: Slice,
    /// The status that is asked about, or when the page was fetched (milliseconds since the Unix
    /// epoch; 0 if that is not known).
    pub number: u64,
    /// Where the answer goes.
    pub answer: Sink,
    /// The services for a page; null for other callbacks.
    pub host: *const c_void,
    /// Serves them.
    pub serve: Serve,
}

/// Answers one question about the page of a call.
pub type Serve = unsafe extern "C" fn(host: *const c_void, ask: *const Ask, to: *mut Answer) -> u32;

/// A question to the host.
#[repr(C)]
pub struct Ask {
    /// Which [`Service`] it is for.
    pub service: u32,
    /// The node that it is about; [`NO_NODE`] for the page.
    pub node: u32,
    /// Further numbers, as the service wants them.
    pub numbers: [u64; 4],
    /// A text, as the service wants it.
    pub text: Slice,
    /// A second text.
    pub more: Slice,
    /// Where an answer goes that was made for this question.
    pub answer: Sink,
}

/// Stands for "no node".
pub const NO_NODE: u32 = u32::MAX;

/// An answer that needs no sink.
#[repr(C)]
pub struct Answer {
    /// What kind of answer it is: [`NOTHING`], [`BORROWED`], [`MADE`] or
    /// [`FAILED`].
    pub kind: u32,
    /// A number.
    pub number: u64,
    /// Bytes that stay as they are until the callback returns.
    pub slice: Slice,
}

/// There is no answer: no such attribute, say.
pub const NOTHING: u32 = 0;
/// The answer is the number, or the slice.
pub const BORROWED: u32 = 1;
/// The answer is in the sink.
pub const MADE: u32 = 2;
/// There is none because of an error, which is in the sink.
pub const FAILED: u32 = 3;

impl Answer {
    /// None yet.
    pub const EMPTY: Self = Self { kind: NOTHING, number: 0, slice: Slice::EMPTY };
}

/// Bytes that somebody else owns.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Slice {
    /// The first of them; null if there are none.
    pub first: *const u8,
    /// How many there are.
    pub len: usize,
}

impl Slice {
    /// No bytes, at no place.
    pub const EMPTY: Self = Self { first: std::ptr::null(), len: 0 };

    /// These bytes.
    #[must_use]
    pub const fn of(bytes: &[u8]) -> Self {
        Self { first: bytes.as_ptr(), len: bytes.len() }
    }
}

/// Stands for a value that is not there, because nothing matched.
pub const NO_MATCH: Slice = Slice { first: std::ptr::null(), len: 0 };
/// Stands for one that is not there, because the match has no such attribute.
pub const NO_ATTRIBUTE: Slice = Slice { first: std::ptr::null(), len: 1 };
/// Stands for one that was not looked for.
pub const UNKNOWN: Slice = Slice { first: std::ptr::null(), len: 2 };

/// Takes bytes, by copying them before it returns.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Sink {
    /// Appends bytes.
    pub put: unsafe extern "C" fn(to: *mut c_void, bytes: Slice),
    /// To what.
    pub to: *mut c_void,
}

macro_rules! services {
    ($($(#[$meta:meta])* $name:ident = $number:literal,)*) => {
        /// The host's services for a page, by number: [`PageServices`](crate::PageServices).
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u32)]
        pub enum Service { $($(#[$meta])* $name = $number,)* }

        impl Service {
            /// The service with this number; `None` if there is none.
            #[must_use]
            pub fn from_number(number: u32) -> Option<Self> {
                match number {
                    $($number => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

services! {
    /// `select(text, node)`; made: `Result<Vec<NodeId>, SelectorError>`.
    Select = 0,
    /// `xpath(text, node)`; made: `Result<Evaluated, SelectorError>`.
    XPath = 1,
    /// The wanted query `numbers[0]`: the number of its rows, and borrowed what the first match of
    /// each field gave, row by row, as [`Slice`]s (null: nothing). Nothing if it was not matched.
    Rows = 2,
    /// Number of matches in the query `numbers[0]`, row `[1]`, field `[2]`.
    Matches = 3,
    /// What match `numbers[3]` of field `[2]` of row `[1]` of query `[0]` gave: borrowed, or
    /// nothing.
    Value = 4,
    /// `text_content(node)`: borrowed, or made.
    Text = 5,
    /// `attr(node, text)`: borrowed, or nothing.
    Attr = 6,
    /// `html(node)`: made.
    Html = 7,
    /// `tag(node)`: borrowed.
    Tag = 8,
    /// Made: the links, by `wire::LinkBook::frame`.
    Links = 9,
    /// Borrowed.
    Decoded = 10,
    /// `join(text)`; made: `Result<CanonicalUrl, UrlError>`.
    Join = 11,
    /// Borrowed.
    Title = 12,
    /// `json_path(text)`; made: `Result<Vec<Value>, SpiderError>`.
    JsonPath = 13,
    /// Opens the CSV: its number.
    Csv = 14,
    /// The next rows of the CSV `numbers[0]`; made: a batch.
    CsvNext = 15,
    /// Closes the CSV `numbers[0]`.
    CsvClose = 16,
    /// `find(text, more, numbers[0])`; made: `Result<Vec<String>, QueryError>`.
    Find = 17,
    /// `step(node, numbers[0])`: a number, or nothing.
    Step = 18,
    /// `attrs(node)`: the sink gets names and values by turns, and they stay as they are until the
    /// callback returns.
    Attrs = 19,
    /// Made: `Vec<FormParts>`.
    Forms = 20,
    /// `encode(text, more)`: borrowed if nothing changes, or made: the bytes.
    Encode = 21,
    /// Made: `Metadata`.
    Metadata = 22,
    /// Made: `StructuredData`.
    Structured = 23,
    /// Made: `Table`, or nothing.
    Table = 24,
    /// `markdown(node)`: made.
    Markdown = 25,
    /// Made: `Article`, or nothing.
    Article = 26,
    /// `matching(text, more)`, the texts as a frame; made: `Result<Vec<bool>, QueryError>`.
    Matching = 27,
    /// Made: `Vec<Entry>`.
    Entries = 28,
    /// As `Csv`, of the dialect that `more` is a frame of.
    CsvAs = 29,
    /// `first(text, node)`: a number, nothing, or failed.
    First = 30,
    /// `first_text(text, node)`: borrowed, made, nothing, or failed.
    FirstText = 31,
    /// `first_attr(text, node, more)`: borrowed, nothing, or failed.
    FirstAttr = 32,
    /// `selected(more)`, which is a frame of the query: the number that it is known by from then
    /// on, and in the sink the nodes of its rows (`Option<Vec<NodeId>>`; `None` is the page).
    /// Nothing if there are too many queries; or failed.
    Selected = 33,
    /// What the first match of each field gave in a batch of [`ROWS_AT_ONCE`] rows, number
    /// `numbers[1]`, of the query `numbers[0]`: borrowed, row by row, as [`Slice`]s, or one of
    /// [`NO_MATCH`], [`NO_ATTRIBUTE`] and [`UNKNOWN`].
    Firsts = 34,
}

/// A text with zeros behind it. What is too long is cut.
pub(crate) const fn padded<const N: usize>(text: &str) -> [u8; N] {
    let (bytes, mut out, mut at) = (text.as_bytes(), [0; N], 0);
    while at < bytes.len() && at < N {
        out[at] = bytes[at];
        at += 1;
    }
    out
}

const fn parse_u64(text: &str) -> u64 {
    let (bytes, mut number, mut at) = (text.as_bytes(), 0_u64, 0);
    while at < bytes.len() {
        number = number.wrapping_mul(10).wrapping_add((bytes[at] - b'0') as u64);
        at += 1;
    }
    number
}
