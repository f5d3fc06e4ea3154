//! Logging in, page by page.

use crawl_spider::ready::{Login, Step};
use crawl_spider::{CanonicalUrl, FailedRequest, Harvest, Request, Spider, SpiderError, Verdict};

use super::{Given, Labels, given, parse};
use crate::{TestPage, page_from_html, start};

const FORM: &str = "<form action='/search'><input name=q></form>\
    <form action='/session' method=post><input type=hidden name=csrf value=t0k>\
    <input name=user><input type=password name=password><button name=go value=1>In</button></form>";

fn login() -> Login {
    Login::new("http://h/login").field("user", "joe").field("password", "s3cret")
}

fn page(label: &str, html: &str) -> TestPage {
    let mut page = page_from_html("http://h/login", html).unwrap();
    page.set_label(label);
    page
}

/// The request that a page with a form gives.
fn sent(login: Login, html: &str) -> Result<Request, SpiderError> {
    let spider = login.then(Labels);
    let mut out = Harvest::new();
    spider.parse(&page("login", html).page(), &mut out)?;
    let follows = out.into_parts().follows;
    assert_eq!(follows.len(), 1);
    Ok(follows.into_iter().next().unwrap().into_request(1, None))
}

/// What the page gives that comes back.
fn answer(login: Login, html: &str) -> Result<Given, SpiderError> {
    parse(&login.then(Labels), &page("login:answer", html))
}

#[track_caller]
fn fails<T: std::fmt::Debug>(result: Result<T, SpiderError>, expected: &str) {
    let error = result.unwrap_err().chain();
    assert!(error.contains(expected) && !error.contains("s3cret"), "{error}");
}

#[test]
fn only_the_form_is_asked_for_until_it_has_worked() {
    let spider = login().then(Labels);
    let requests = start(&spider).unwrap();
    assert_eq!((requests.len(), &*requests[0].label), (1, "login"));
    let request = sent(login(), FORM).unwrap();
    assert_eq!(request.url.as_str(), "http://h/session");
    assert_eq!(std::str::from_utf8(&request.body), Ok("csrf=t0k&user=joe&password=s3cret"));
    assert!(request.options().unique.is_some());
    let pressed = sent(login().button("In").form("form:last-of-type"), FORM).unwrap();
    assert!(pressed.body.ends_with(b"&go=1"));
    assert_eq!(answer(login(), "<p>Hello</p>").unwrap().follows, ["http://h/own"]);
    // Other pages are the spider's.
    assert_eq!(parse(&spider, &page("book", "")).unwrap().items.len(), 1);
}

#[test]
fn a_login_that_fails_says_why() {
    fails(sent(login(), "<p>no form</p>"), "the page has no form with a password field");
    fails(sent(login().form("#f"), FORM), "the page has no form that `#f` finds");
    fails(sent(login().field("usr", "x"), FORM), "the form has no field `usr`");
    fails(answer(login(), FORM), "http://h/login still asks for a password");
    fails(answer(login().expect(".logout"), "<p>"), "`.logout` finds nothing");
    let refused = "<p class=error>Wrong  password</p>";
    fails(answer(login().refuse(".error"), refused), "the site says `Wrong password`");
    assert!(answer(login().refuse(".error").expect("p"), "<p>").is_ok());
}

#[test]
fn a_login_that_gets_no_page_is_an_error_of_its_own() {
    let spider = login().then(Labels);
    let mut request = Request::get(CanonicalUrl::parse("http://h/session").unwrap());
    request.label = "login:answer".into();
    let failed = FailedRequest::new(&request, Verdict::Timeout, Some(403), "status 403");
    let mut out = Harvest::new();
    fails(spider.error(&failed, &mut out), "ended as timeout: status 403");
    assert_eq!(given(out).logs.len(), 1);
    request.label = "other".into();
    let failed = FailedRequest::new(&request, Verdict::Timeout, None, "");
    assert!(spider.error(&failed, &mut Harvest::new()).is_ok());
}

#[test]
fn secrets_come_from_the_environment_and_are_not_shown() {
    let spider = Login::new("http://h/").env("password", "NO_SUCH_VARIABLE_HERE").then(Labels);
    fails(start(&spider), "`NO_SUCH_VARIABLE_HERE`, which is not set");
    assert!(!format!("{:?}", login()).contains("s3cret"));
    // Cargo sets this one for tests.
    let spider = login().env("password", "CARGO_PKG_NAME").then(Labels);
    assert!(start(&spider).is_ok());
    let request = sent(login().env("password", "CARGO_PKG_NAME"), FORM).unwrap();
    assert!(request.body.ends_with(b"password=crawl-parser"));
}

#[test]
fn a_wrong_selector_ends_the_crawl_before_it_begins() {
    let spider = login().expect("a:").then(Labels);
    fails(start(&spider), "login, expect: `a:` is not a CSS selector");
}
