//! What sees a request right before it is sent.

use std::future::Future;
use std::pin::Pin;

use crate::{Refusal, Request};

/// A request on its way out: the future gives it back, changed or not, or says why it is not sent.
pub type Departing<'a> = Pin<Box<dyn Future<Output = Result<Request, Refusal>> + Send + 'a>>;

/// Sees each request of a page when its ticket is about to be sent; retries are seen again,
/// robots.txt is not.
///
/// Its host's place is taken meanwhile and its time limit runs, so it should be quick. It runs on
/// the reactor and must not block; what waits, awaits.
pub trait Departure: Send + Sync {
    /// Lets a request go. URL and method must stay: politeness and robots.txt were asked for them.
    fn depart(&self, request: Request) -> Departing<'_>;
}
