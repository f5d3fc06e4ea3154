//! The answer to a page ticket: redirect, page or failure.

use crawl_model::{
    Cached, CanonicalUrl, Ending, Failure, Fingerprint, Found, Hop, Look, PageRecord, Redirect,
    Request, Response, Texts, Verdict,
};
use crawl_spider::{FailedRequest, Page, PageServices};

use super::case::Case;
use super::record;
use crate::document::Document;
use crate::stage::parser::{Parser, Read};

impl Parser {
    pub(crate) fn read_page(&self, request: &Request, case: &Case) -> Read {
        let (verdict, rest) = match case.ending.clone() {
            Ending::Settled { verdict, rest } => (verdict, rest),
            Ending::Retry { cause, rest } => {
                let verdict = record::verdict_of(&case.reply);
                let mut record = record::begin(request, case, verdict);
                record.error = record::short(&cause);
                return Read::bare(Ending::Retry { cause, rest }, record);
            }
            robots @ Ending::Robots(_) => {
                return Read::bare(robots, record::begin(request, case, Verdict::Ok));
            }
        };
        let record = record::begin(request, case, verdict);
        let mut read = Read::bare(Ending::Settled { verdict, rest }, record);
        match &case.reply {
            // The copy that is there was read when it came.
            Ok(response) if is_unchanged(response) => {}
            Ok(response) if verdict == Verdict::Redirected => {
                let hop = self.redirect_of(request, case).judge(response, self.max_redirects);
                self.redirect(request, case, hop, &mut read);
            }
            Ok(response) if request.is_file() => {
                self.file(response, case.file.as_ref(), &mut read);
            }
            Ok(response) if request.is_crawlers_sitemap() => {
                self.sitemap(request, response, &mut read);
            }
            Ok(response) => self.page(request, response, case, &mut read),
            Err(Failure { detail, .. }) => self.fail(request, case, detail, &mut read),
        }
        let verdict = read.record.verdict;
        read.ending = Ending::Settled { verdict, rest };
        read
    }

    fn redirect_of<'r>(&self, request: &'r Request, case: &Case) -> Redirect<'r> {
        let status = case.reply.as_ref().map_or(0, |response| response.status);
        Redirect { request, status, sets_cookies: !case.cookies.is_empty() }
    }

    fn redirect(&self, request: &Request, case: &Case, hop: Hop, read: &mut Read) {
        match hop {
            Hop::To(hop) => {
                read.record.verdict = Verdict::Redirected;
                read.record.redirect = Some(hop.url.clone());
                if request.is_file()
                    && let Some(reason) = self.view.keeps_file_out(&hop.url)
                {
                    read.record.verdict = Verdict::Filtered;
                    read.record.error = reason.name().to_owned();
                    return;
                }
                // A known target settles here: its own page has, or will have, its own end.
                let hop = self.told_apart(request, *hop);
                let print = self.view.fingerprint_of(&hop);
                read.items.files.leads_to = Some(print).filter(|_| request.is_file());
                read.found.extend(self.look(print, hop));
            }
            Hop::Refused { verdict, target, detail } => {
                read.record.verdict = verdict;
                read.record.redirect = target;
                self.fail(request, case, &detail, read);
            }
        }
    }

    /// The hop, as a request of its own if what tells it from a URL of its chain does not count: a
    /// session id say, or the last slash. It would be dropped as known, and the page be lost.
    fn told_apart(&self, request: &Request, hop: Request) -> Request {
        let print = self.view.fingerprint_of(&hop);
        let is_known = print == self.view.fingerprint_of(request)
            || request.chain.iter().any(|url| print == self.view.fingerprint(url.as_str()));
        if is_known { hop.as_its_own() } else { hop }
    }

    /// A found request, unless it is known.
    fn look(&self, print: Fingerprint, request: Request) -> Option<Found> {
        let look = if request.is_file() {
            self.view.look_file(print, &request.url)
        } else if request.is_sitemap() {
            self.view.look_sitemap(print, &request.url, request.depth)
        } else {
            self.view.look(print, &request.url, request.depth)
        };
        let filtered = match look {
            Look::Known => return None,
            Look::Admit => None,
            Look::Filter(reason) => Some(reason),
        };
        Some(Found { print, request, filtered, renews: false })
    }

    fn page(&self, request: &Request, response: &Response, case: &Case, read: &mut Read) {
        let spider = &case.loadout.spider;
        let reading = self.reading_of(&case.loadout, request);
        let document = Document::open(&request.url, response, &reading).at(case.sent_ms);
        let is_accepted = request.options().accept.contains(&response.status);
        let asks = document.directives(response, &self.agent);
        if let Some(target) = self.refresh(response, &document, is_accepted) {
            // As after a 303: whatever the method was, the next page is shown by GET.
            let redirect = Redirect { status: 303, ..self.redirect_of(request, case) };
            let hop = redirect.judge_target(target, self.max_redirects);
            self.redirect(request, case, hop, read);
        } else if is_accepted || spider.wants_status(response.status) {
            let page = Page::new(request, response, &document);
            match self.call(&case.loadout, &request.url, |out| spider.parse(&page, out)) {
                Ok(harvest) => {
                    read.found = self.admit(&**spider, harvest.follows, request, asks.nofollow);
                    let digest = &read.record.digest;
                    self.refuse_copies(request, digest, &document, &mut read.found);
                    let taken = case.loadout.taken(harvest.items, harvest.kinds);
                    let (items, status) = ((taken, harvest.files), Some(response.status));
                    read.items = self.take(&**spider, items, request, status, &mut read.found);
                }
                Err((verdict, text)) => {
                    read.record.verdict = verdict;
                    read.record.error = record::short(&text);
                }
            }
        } else if read.record.verdict.is_http_error() || read.record.verdict == Verdict::NotModified
        {
            self.fail(request, case, &format!("status {}", response.status), read);
        }
        describe(&document, &mut read.record);
        read.texts = self.texts(&document);
        if asks.noindex && self.config.obey_noindex {
            read.forget();
        }
    }

    /// The other forms of a page that the archive wants.
    fn texts(&self, document: &Document<'_>) -> Texts {
        let forms = self.archivist.as_ref().map(|archivist| archivist.forms()).unwrap_or_default();
        if !document.is_html() {
            return Texts::default();
        }
        let some = |text: String| Some(text).filter(|text| !text.trim().is_empty());
        Texts {
            text: forms.text.then(|| document.plain_text()).and_then(some),
            markdown: forms.markdown.then(|| document.markdown(None)).and_then(some),
        }
    }

    /// Where the page redirects without a status that says so.
    fn refresh(
        &self,
        response: &Response,
        document: &Document<'_>,
        is_accepted: bool,
    ) -> Option<CanonicalUrl> {
        let max = self.config.max_refresh;
        let may = (200..300).contains(&response.status) && !is_accepted && !max.is_zero();
        may.then(|| document.refresh(response, max))?
    }

    /// Gives a request without a page to the spider's `error`.
    fn fail(&self, request: &Request, case: &Case, detail: &str, read: &mut Read) {
        read.record.error = record::short(detail);
        if request.is_crawlers_sitemap() || request.is_file() {
            return; // The crawler's own affair.
        }
        let PageRecord { verdict, status, .. } = read.record;
        let failed = FailedRequest::new(request, verdict, status, detail);
        let spider = &case.loadout.spider;
        match self.call(&case.loadout, &request.url, |out| spider.error(&failed, out)) {
            Ok(harvest) => {
                read.found = self.admit(&**spider, harvest.follows, request, false);
                let taken = case.loadout.taken(harvest.items, harvest.kinds);
                let items = (taken, harvest.files);
                read.items = self.take(&**spider, items, request, status, &mut read.found);
            }
            Err((why, text)) => {
                let text = format!("{detail}; then {why} in `error`: {text}");
                read.record.error = record::short(&text);
            }
        }
    }
}

/// Whether the server says that the crawl's own copy is still good.
fn is_unchanged(response: &Response) -> bool {
    response.status == 304 && response.cached() == Some(Cached::Revalidated)
}

/// Notes what the document says of itself.
fn describe(document: &Document<'_>, record: &mut PageRecord) {
    record.title = document.title().to_owned();
    if let Some(error) = document.reader_error()
        && record.error.is_empty()
    {
        record.error = record::short(&format!("cannot be read: {error}"));
    }
    record.n_links = u32::try_from(document.link_targets().len()).unwrap_or(u32::MAX);
}
