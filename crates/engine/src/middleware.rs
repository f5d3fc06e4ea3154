//! Middleware: what an embedding program does around each request.
//!
//! The stages know nothing of each other and nothing of this: each gets a small trait object
//! of its own, made here of the program's list.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;

use crawl_model::{Departing, Departure, Dropped, Item, Refusal, Request, Response};
use crawl_parser::ResponseHook;
use crawl_pipeline::ItemCheck;
use crawl_spider::PageInfo;

/// A request that waits for something before it is sent.
pub type Waiting<'a> = Pin<Box<dyn Future<Output = Result<(), Refusal>> + Send + 'a>>;

/// Stands between the crawl and its requests, answers and items. Every method has a default that
/// lets all pass.
///
/// Of several the first added is the outermost: it sees requests first, answers and items last.
/// A crawl has one set of them for all its pages, on many threads at once.
///
/// # Examples
/// ```
/// use crawl_engine::{Crawl, Middleware, Waiting};
/// use crawl_model::{Refusal, Request, Response};
///
/// struct Signed {
///     key: String,
/// }
///
/// impl Middleware for Signed {
///     fn before_request(&self, request: &mut Request) -> Result<(), Refusal> {
///         request.headers.push(("X-Key".into(), self.key.clone()));
///         Ok(())
///     }
///
///     fn after_response(&self, _: &Request, response: &mut Response) {
///         if response.body.starts_with(b"Slow down") {
///             response.status = 429; // tried again later
///         }
///     }
/// }
///
/// let crawl = Crawl::builder().seed("https://shop.example/").middleware(Signed { key: "k".into() });
/// ```
pub trait Middleware: Send + Sync + 'static {
    /// A short name, by which records and reports call it. Default: `middleware`.
    fn name(&self) -> &str {
        "middleware"
    }

    /// Sees each request for a page when it is about to be sent, tries that are repeated included,
    /// robots.txt not. What it adds (header fields, options) is sent and nowhere kept: not in the
    /// store, not in redirects. URL and method it must leave alone, since politeness and robots.txt
    /// were asked for them. It runs on the reactor and must not block; what has to wait is for
    /// [`before_request_async`](Self::before_request_async).
    ///
    /// # Errors
    /// [`Refusal`] if the request is not to be sent: the URL ends as `refused`, with the reason.
    fn before_request(&self, request: &mut Request) -> Result<(), Refusal> {
        let _ = request;
        Ok(())
    }

    /// The same for what has to wait (for a fresh token, say), called after
    /// [`before_request`](Self::before_request). All of it is bounded by `fetch.total-timeout`;
    /// what takes longer is tried again as [`retry`](crate::CrawlConfig::frontier) says. Default:
    /// nothing to wait for.
    ///
    /// ```
    /// use crawl_engine::{Middleware, Waiting};
    /// use crawl_model::{Refusal, Request};
    ///
    /// struct Token;
    ///
    /// impl Token {
    ///     async fn fresh(&self) -> Result<String, std::io::Error> {
    ///         Ok("t".to_owned())
    ///     }
    /// }
    ///
    /// impl Middleware for Token {
    ///     fn before_request_async<'a>(&'a self, request: &'a mut Request) -> Option<Waiting<'a>> {
    ///         Some(Box::pin(async move {
    ///             let token = self.fresh().await.map_err(Refusal::new)?;
    ///             request.headers.push(("Authorization".into(), format!("Bearer {token}")));
    ///             Ok(())
    ///         }))
    ///     }
    /// }
    /// ```
    fn before_request_async<'a>(&'a self, request: &'a mut Request) -> Option<Waiting<'a>> {
        let _ = request;
        None
    }

    /// Sees each answer for a page on a CPU thread, before it is judged and read: what it changes
    /// is what is retried, read, archived and streamed. Bounded by `parse.max-time`; a panic ends
    /// the page as `spider-panic`.
    fn after_response(&self, request: &Request, response: &mut Response) {
        let (_, _) = (request, response);
    }

    /// Sees each item after all steps of the pipeline.
    ///
    /// # Errors
    /// [`Dropped`] if it is not to be kept.
    fn before_store(&self, page: &PageInfo<'_>, item: &Item) -> Result<(), Dropped> {
        let (_, _) = (page, item);
        Ok(())
    }
}

/// The program's list, outermost first.
#[derive(Clone, Default)]
pub(crate) struct Layers(Vec<Arc<dyn Middleware>>);

impl Layers {
    pub(crate) fn push(&mut self, layer: Arc<dyn Middleware>) {
        self.0.push(layer);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The checks of items, in the order in which they are asked.
    pub(crate) fn checks(&self) -> impl Iterator<Item = Arc<dyn ItemCheck>> {
        self.0.iter().rev().map(|layer| Arc::new(Check(layer.clone())) as Arc<dyn ItemCheck>)
    }
}

impl Departure for Layers {
    fn depart(&self, mut request: Request) -> Departing<'_> {
        Box::pin(async move {
            for layer in &self.0 {
                let named = |why| Refusal::new(format!("{}: {why}", layer.name()));
                // A panic must not take the worker's ticket along: it would be cut again and again.
                caught(|| layer.before_request(&mut request)).map_err(named)?;
                let out = &mut request;
                let mut waiting = None;
                caught(|| {
                    waiting = layer.before_request_async(out);
                    Ok(())
                })
                .map_err(named)?;
                if let Some(waiting) = waiting {
                    Unwinding(waiting).await.map_err(named)?;
                }
            }
            Ok(request)
        })
    }
}

impl ResponseHook for Layers {
    fn after_response(&self, request: &Request, response: &mut Response) {
        self.0.iter().rev().for_each(|layer| layer.after_response(request, response));
    }
}

/// Runs what a program wrote; its panic is a refusal.
fn caught(work: impl FnOnce() -> Result<(), Refusal>) -> Result<(), Refusal> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(Refusal::new("panicked")))
}

/// A future whose panic is a refusal.
struct Unwinding<'a>(Waiting<'a>);

impl Future for Unwinding<'_> {
    type Output = Result<(), Refusal>;

    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Self::Output> {
        // After a panic the future is not polled again.
        catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(cx)))
            .unwrap_or_else(|_| std::task::Poll::Ready(Err(Refusal::new("panicked"))))
    }
}

/// One layer's look at items.
struct Check(Arc<dyn Middleware>);

impl ItemCheck for Check {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn check(&self, item: &Item, page: &PageInfo<'_>) -> Result<(), Dropped> {
        self.0.before_store(page, item)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use bytes::Bytes;
    use crawl_model::CanonicalUrl;

    use super::*;

    #[derive(Clone)]
    struct Layer(&'static str, Arc<Mutex<Vec<String>>>);

    impl Layer {
        fn note(&self, what: &str) {
            self.1.lock().unwrap().push(format!("{} {what}", self.0));
        }
    }

    impl Middleware for Layer {
        fn name(&self) -> &str {
            self.0
        }

        fn before_request(&self, request: &mut Request) -> Result<(), Refusal> {
            self.note("request");
            match request.url.path() {
                "/no" => Err(Refusal::new("no")),
                "/panic" => panic!("at a request"),
                _ => Ok(()),
            }
        }

        fn before_request_async<'a>(&'a self, request: &'a mut Request) -> Option<Waiting<'a>> {
            Some(Box::pin(async move {
                tokio::task::yield_now().await;
                self.note("waited");
                assert_ne!(request.url.path(), "/late-panic");
                request.headers.push((self.0.into(), "1".into()));
                Ok(())
            }))
        }

        fn after_response(&self, _: &Request, _: &mut Response) {
            self.note("response");
        }

        fn before_store(&self, _: &PageInfo<'_>, item: &Item) -> Result<(), Dropped> {
            self.note(&item.json);
            Ok(())
        }
    }

    fn layers() -> (Layers, Arc<Mutex<Vec<String>>>) {
        let notes = Arc::new(Mutex::new(Vec::new()));
        let mut layers = Layers::default();
        for name in ["outer", "inner"] {
            layers.push(Arc::new(Layer(name, notes.clone())));
        }
        (layers, notes)
    }

    fn get(path: &str) -> Request {
        Request::get(CanonicalUrl::parse(&format!("http://h{path}")).unwrap())
    }

    #[tokio::test]
    async fn requests_go_in_by_the_order_and_answers_and_items_come_out_against_it() {
        let (layers, notes) = layers();
        let request = layers.depart(get("/")).await.unwrap();
        assert_eq!(request.headers.len(), 2);
        let mut response = Response {
            status: 200,
            version: "HTTP/1.1",
            headers: vec![],
            body: Bytes::new(),
            truncated: None,
            remote: None,
        };
        layers.after_response(&request, &mut response);
        let page = PageInfo::new(&request, Some(200));
        layers.checks().for_each(|check| check.check(&Item::plain("1"), &page).unwrap());
        assert_eq!(
            *notes.lock().unwrap(),
            [
                "outer request",
                "outer waited",
                "inner request",
                "inner waited",
                "inner response",
                "outer response",
                "inner 1",
                "outer 1",
            ]
        );
    }

    #[tokio::test]
    async fn refusals_and_panics_name_the_layer() {
        for (path, expected) in [
            ("/no", "outer: no"),
            ("/panic", "outer: panicked"),
            ("/late-panic", "outer: panicked"),
        ] {
            let (layers, _) = layers();
            assert_eq!(layers.depart(get(path)).await.unwrap_err().to_string(), expected);
        }
    }
}
