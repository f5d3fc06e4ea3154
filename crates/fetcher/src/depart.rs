//! Lets the program see a request before it is sent.

use std::sync::Arc;
use std::time::Duration;

use crawl_model::{Departure, Errand, Failure, FailureKind, Ticket};

/// Shows the request of `ticket` to `departure`; gives the errand that is to be done in its
/// place, `None` if that is the ticket's own. Takes at most `limit`.
pub(crate) async fn depart(
    departure: Option<&dyn Departure>,
    ticket: &Ticket,
    limit: Duration,
) -> Result<Option<Arc<Errand>>, Failure> {
    let (Some(departure), Errand::Page(request)) = (departure, ticket.errand()) else {
        return Ok(None);
    };
    let departed = tokio::time::timeout(limit, departure.depart(request.clone())).await;
    let changed = match departed {
        Ok(Ok(changed)) => changed,
        Ok(Err(refusal)) => return Err(Failure::new(FailureKind::Refused, refusal.to_string())),
        Err(_) => {
            let detail = format!("a middleware did not let the request go within {limit:?}");
            return Err(Failure::new(FailureKind::Held, detail));
        }
    };
    if (&changed.url, changed.method) != (&request.url, request.method) {
        let detail = "a middleware changed the URL or the method, for which politeness and \
                      robots.txt were asked; let the spider's request step do that";
        return Err(Failure::new(FailureKind::Refused, detail));
    }
    Ok(Some(Arc::new(Errand::Page(changed))))
}
