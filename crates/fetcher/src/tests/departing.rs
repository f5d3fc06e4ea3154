//! What a program may do to a request before it is sent.

use crawl_model::{Departing, Departure, Refusal};

use super::*;
use crate::worker::Fetch;

/// Does by the path what its tests want.
struct Gate;

impl Departure for Gate {
    fn depart(&self, mut request: Request) -> Departing<'_> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            match request.url.path() {
                "/no" => return Err(Refusal::new("gate: not today")),
                "/wait" => std::future::pending().await,
                "/elsewhere" => request.url = request.url.join("/other").unwrap(),
                _ => request.headers.push(("X-Token".into(), "secret".into())),
            }
            Ok(request)
        })
    }
}

async fn depart(fetcher: &Fetcher, ticket: &mut Ticket) -> Answer {
    tokio::time::timeout(PATIENCE, Fetch::fetch(fetcher, ticket)).await.expect("it ends by itself")
}

#[tokio::test]
async fn what_is_added_is_sent_and_not_kept() {
    let server = Server::start(vec![vec![page("x"), page("y")]]).await;
    let fetcher = Fetcher::new(server.config()).unwrap().departing(Arc::new(Gate));
    let mut ticket = ticket(get("http://a.test/"));
    assert!(depart(&fetcher, &mut ticket).await.reply.is_ok());
    let mut robots = robots_ticket("http://a.test/robots.txt");
    assert!(depart(&fetcher, &mut robots).await.reply.is_ok());
    let requests = server.requests().concat();
    assert!(requests[0].contains("x-token: secret") && !requests[1].contains("x-token"));
    let Errand::Page(request) = ticket.errand() else { panic!("{ticket:?}") };
    assert!(request.headers.is_empty());
}

#[tokio::test]
async fn a_request_that_is_refused_or_held_or_turned_elsewhere_is_not_sent() {
    let server = Server::start(vec![vec![page("x")]]).await;
    let config = FetchConfig { total_timeout: SOON, ..server.config() };
    let fetcher = Fetcher::new(config).unwrap().departing(Arc::new(Gate));
    for (path, kind, part) in [
        ("no", FailureKind::Refused, "gate: not today"),
        ("wait", FailureKind::Held, "within 150ms"),
        ("elsewhere", FailureKind::Refused, "changed the URL"),
    ] {
        let mut ticket = ticket(get(&format!("http://a.test/{path}")));
        let answer = depart(&fetcher, &mut ticket).await;
        assert_eq!(answer.sent_at, None);
        assert_eq!(answer.host_free(TicketId(0)).health, Health::Unknown);
        check_failure(answer, kind, part);
    }
    assert!(server.requests().is_empty());
}
