//! A plugin's spider, as a spider.

use std::fmt;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::Arc;

use crawl_spider::abi::layout::{Callback, ERROR, Functions, OK, PANIC};
use crawl_spider::abi::wire::{
    ClosedFrame, Description, FailedFrame, ItemFrame, Reader, UrlBook, Wire, WireError, frame,
    put_page_head,
};
use crawl_spider::{
    Args, Closed, Dropped, Expression, FailedRequest, Harvest, Harvested, ItemQuery, ItemStep,
    Page, PageInfo, Refusal, Request, RequestStep, Spider, SpiderError, Value,
};

use crate::host::{Host, serve};
use crate::library::{Answered, Input, Instance, open};
use crate::{About, PluginError, find, inspect};

/// Loads the plugin at `path`, a shared library or the folder of a crate, and makes its spider of
/// `args`. A crate is built first, if need be ([`find`]).
///
/// # Errors
/// [`PluginError`]: it does not build, is no plugin, one of another version, one whose panics
/// cannot be caught, or its spider does not take these arguments.
///
/// # Examples
/// ```no_run
/// use std::path::Path;
///
/// use crawl_spider::Args;
///
/// let mut args = Args::default();
/// args.set("tag", "love");
/// let spider = crawl_plugin::load(Path::new("quotes"), &args)?;
/// println!("{:?}", spider.about());
/// # Ok::<(), crawl_plugin::PluginError>(())
/// ```
pub fn load(path: &Path, args: &Args) -> Result<PluginSpider, PluginError> {
    let about = inspect(&find(path)?)?;
    if !about.unwinds {
        return Err(PluginError::Aborts { path: about.path });
    }
    PluginSpider::new(about, args)
}

/// As [`load`], of a library, for a process that runs nothing else: plugins whose panics end it are
/// loaded, too.
///
/// # Errors
/// As for [`load`].
pub fn load_in_child(path: &Path, args: &Args) -> Result<PluginSpider, PluginError> {
    PluginSpider::new(inspect(path)?, args)
}

/// A spider of a shared library.
///
/// Each callback crosses into the library and back on the thread that it is called on. A panic in
/// it is a panic here, with its message; bytes that make no sense are an error of the spider's.
/// Dropped with its last clone; the library stays.
#[derive(Clone)]
pub struct PluginSpider(Arc<Loaded>);

struct Loaded {
    about: About,
    description: Description,
    instance: Instance,
}

impl PluginSpider {
    fn new(about: About, args: &Args) -> Result<Self, PluginError> {
        let functions = open(&about)?;
        let json = serde_json::to_vec(args).expect("JSON values are written as JSON");
        let instance = Instance::create(functions, &json)
            .map_err(|answered| answered.into_error(&about.name, "create"))?;
        let description = describe(&about, &instance)?;
        Ok(Self(Arc::new(Loaded { about, description, instance })))
    }

    /// What its library says of itself.
    #[must_use]
    pub fn about(&self) -> &About {
        &self.0.about
    }

    /// Calls a callback that has no page, and takes what it harvested.
    fn harvest(
        &self,
        callback: impl FnOnce(&Functions) -> Callback,
        frame: &[u8],
        out: &mut Harvest,
    ) -> Result<(), SpiderError> {
        let answered = self.0.instance.call(callback, Input { frame, ..Input::NONE });
        answered.into_harvest(&(), out)
    }
}

impl Answered {
    /// Adds what a callback harvested to `out`.
    fn into_harvest(self, book: &impl UrlBook, out: &mut Harvest) -> Result<(), SpiderError> {
        let mut from = Reader::new(&self.bytes);
        let message = match self.status {
            OK => String::new(),
            _ => from.get().map_err(senseless)?,
        };
        if matches!(self.status, OK | ERROR | PANIC) {
            out.take_in(Harvested::decode_with(book, from.rest()).map_err(senseless)?);
        }
        match self.status {
            OK => Ok(()),
            ERROR => Err(SpiderError::Other(message)),
            PANIC => Err(SpiderError::Panicked(message)),
            _ => Err(SpiderError::Other(format!("the plugin and its host disagree: {message}"))),
        }
    }

    /// The error of a callback that is asked before there is a page.
    fn into_error(self, name: &str, callback: &'static str) -> PluginError {
        let name = name.to_owned();
        match (self.status, Reader::new(&self.bytes).get::<String>()) {
            (ERROR, Ok(reason)) => PluginError::Create { name, reason },
            (PANIC, Ok(reason)) => PluginError::Panicked { name, callback, reason },
            (_, Ok(reason)) => PluginError::Garbage { name, callback, reason },
            (_, Err(error)) => PluginError::Garbage { name, callback, reason: error.to_string() },
        }
    }
}

fn senseless(error: WireError) -> SpiderError {
    let mut text = format!("the plugin's answer makes no sense: {error}");
    if let Some(source) = std::error::Error::source(&error) {
        text.push_str(&format!(": {source}"));
    }
    SpiderError::Other(text)
}

/// Asks what is asked once.
fn describe(about: &About, instance: &Instance) -> Result<Description, PluginError> {
    let callback = "describe";
    let answered = instance.call(|functions| functions.describe, Input::NONE);
    if answered.status != OK {
        return Err(answered.into_error(&about.name, callback));
    }
    Reader::new(&answered.bytes).whole().map_err(|error| PluginError::Garbage {
        name: about.name.clone(),
        callback,
        reason: error.to_string(),
    })
}

impl Loaded {
    /// Puts something through a step of the plugin's. A panic in it is a panic here, as of any step.
    fn step<T: Wire, E: Wire>(
        &self,
        callback: impl FnOnce(&Functions) -> Callback,
        frame: &[u8],
    ) -> Result<Result<T, E>, String> {
        let answered = self.instance.call(callback, Input { frame, ..Input::NONE });
        let from = Reader::new(&answered.bytes);
        if answered.status == OK {
            return from.whole().map_err(|error| senseless(error).to_string());
        }
        let message = from.whole::<String>().unwrap_or_default();
        if answered.status == PANIC {
            resume_unwind(Box::new(message));
        }
        Err(message)
    }
}

impl ItemStep for Loaded {
    fn name(&self) -> &str {
        self.description.item_step.as_deref().unwrap_or_default()
    }

    fn process(&self, item: Value, page: &PageInfo<'_>) -> Result<Value, Dropped> {
        let frame = frame(&ItemFrame::new(item, page));
        self.step(|functions| functions.item, &frame)
            .unwrap_or_else(|text| Err(Dropped::new("error").because(text)))
    }
}

impl RequestStep for Loaded {
    fn name(&self) -> &str {
        self.description.request_step.as_deref().unwrap_or_default()
    }

    fn process(&self, request: &mut Request) -> Result<(), Refusal> {
        let done = self.step(|functions| functions.request, &frame(request));
        *request = done.unwrap_or_else(|text| Err(Refusal::new(text)))?;
        Ok(())
    }
}

impl Spider for PluginSpider {
    fn name(&self) -> &str {
        &self.0.description.name
    }

    fn wants(&self) -> Vec<ItemQuery> {
        self.0.description.wants.clone()
    }

    // Not `rules`: they are followed on the other side.

    fn expressions(&self) -> Vec<Expression> {
        self.0.description.expressions.clone()
    }

    fn item_step(&self) -> Option<&dyn ItemStep> {
        self.0.description.item_step.as_ref().map(|_| &*self.0 as &dyn ItemStep)
    }

    fn request_step(&self) -> Option<&dyn RequestStep> {
        self.0.description.request_step.as_ref().map(|_| &*self.0 as &dyn RequestStep)
    }

    fn start(&self, out: &mut Harvest) -> Result<(), SpiderError> {
        self.harvest(|functions| functions.start, &[], out)
    }

    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        let mut head = Vec::with_capacity(1024);
        put_page_head(&mut head, page);
        let host = Host::new(page.services(), &self.0.description.wants);
        let (body, number, serve) = (page.body(), page.services().fetched_ms(), serve as _);
        let input = Input { frame: &head, body, number, host: (&raw const host).cast(), serve };
        let answered = self.0.instance.call(|functions| functions.parse, input);
        if let Some(panic) = host.take_panic() {
            // A service's own, which has unwound through the plugin.
            resume_unwind(panic);
        }
        answered.into_harvest(&host.into_book(), out)
    }

    fn error(&self, failed: &FailedRequest<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        self.harvest(|functions| functions.error, &frame(&FailedFrame::from(failed)), out)
    }

    fn closed(&self, closed: &Closed<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        self.harvest(|functions| functions.closed, &frame(&ClosedFrame::from(closed)), out)
    }

    fn wants_status(&self, status: u16) -> bool {
        let input = Input { number: u64::from(status), ..Input::NONE };
        let answered = self.0.instance.call(|functions| functions.wants_status, input);
        let mut from = Reader::new(&answered.bytes);
        match answered.status {
            PANIC => resume_unwind(Box::new(from.get::<String>().unwrap_or_default())),
            // The trait's default stands for an answer that is none.
            _ => from.get().unwrap_or_else(|_| (200..300).contains(&status)),
        }
    }
}

impl fmt::Debug for PluginSpider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PluginSpider").field("about", self.about()).finish_non_exhaustive()
    }
}
