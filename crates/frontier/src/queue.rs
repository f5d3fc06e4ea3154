//! A URL that was taken out of its queue and has not ended.

use crawl_model::{CanonicalUrl, Fingerprint, Method, PageRecord, Request, Verdict};

/// An admitted URL, in memory.
#[derive(Debug, Clone)]
pub(crate) struct Queued {
    pub(crate) print: Fingerprint,
    /// Order of having been taken out of its queue.
    pub(crate) found_at: u64,
    pub(crate) depth: u32,
    pub(crate) priority: i32,
    /// How often it was tried, to an answer.
    pub(crate) attempts: u32,
    /// How often its ticket was abandoned in this run.
    pub(crate) abandoned: u8,
    /// Whether the process died twice with it in hand, so that it must run alone.
    pub(crate) is_suspect: bool,
    /// Whether it has waited on disk since an earlier run, and may have ended meanwhile.
    pub(crate) is_old: bool,
    target: Target,
}

/// What is to be fetched. Most requests are plain, so they are kept packed.
#[derive(Debug, Clone)]
enum Target {
    Plain { url: CanonicalUrl, referrer: Option<CanonicalUrl> },
    Full(Box<Request>),
}

impl Queued {
    pub(crate) fn new(print: Fingerprint, request: Request, found_at: u64) -> Self {
        Self {
            print,
            found_at,
            depth: request.depth,
            priority: request.priority,
            attempts: 0,
            abandoned: 0,
            is_suspect: false,
            is_old: false,
            target: Target::new(request),
        }
    }

    pub(crate) fn url(&self) -> &CanonicalUrl {
        match &self.target {
            Target::Plain { url, .. } => url,
            Target::Full(request) => &request.url,
        }
    }

    /// Before when it must not be sent: milliseconds since the Unix epoch; 0 for at once.
    pub(crate) fn not_before_ms(&self) -> u64 {
        match &self.target {
            Target::Plain { .. } => 0,
            Target::Full(request) => request.options().not_before_ms,
        }
    }

    /// Whether it is a sitemap that a robots.txt named.
    pub(crate) fn is_sitemap(&self) -> bool {
        match &self.target {
            Target::Plain { .. } => false,
            Target::Full(request) => request.is_sitemap(),
        }
    }

    /// Whether it is a file that an item asks for.
    pub(crate) fn is_file(&self) -> bool {
        match &self.target {
            Target::Plain { .. } => false,
            Target::Full(request) => request.is_file(),
        }
    }

    /// The request as it was found.
    pub(crate) fn request(&self) -> Request {
        match &self.target {
            Target::Plain { url, referrer } => Request {
                depth: self.depth,
                priority: self.priority,
                referrer: referrer.clone(),
                ..Request::get(url.clone())
            },
            Target::Full(request) => (**request).clone(),
        }
    }

    /// What is recorded if the frontier gives it up.
    pub(crate) fn record(&self, verdict: Verdict, error: impl Into<String>) -> Box<PageRecord> {
        let request = self.request();
        let has_extras = request.has_extras();
        let Request { url, label, chain, referrer, .. } = request;
        let mut record = PageRecord::new(url, verdict);
        record.depth = self.depth;
        record.label = label.as_ref().to_owned();
        record.attempts = self.attempts;
        record.chain = chain;
        record.referrer = referrer;
        record.has_extras = has_extras;
        record.error = error.into();
        Box::new(record)
    }
}

impl Target {
    fn new(request: Request) -> Self {
        let is_plain = request.method == Method::Get
            && request.headers.is_empty()
            && request.body.is_empty()
            && request.label.is_empty()
            && request.errback.is_empty()
            && request.meta.is_null()
            && request.chain.is_empty()
            && request.options.is_none();
        if is_plain {
            Self::Plain { url: request.url, referrer: request.referrer }
        } else {
            Self::Full(Box::new(request))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out() {
        let mut plain = Request::get(CanonicalUrl::parse("http://h/a").unwrap());
        plain.depth = 3;
        plain.priority = -2;
        plain.referrer = Some(CanonicalUrl::parse("http://h/").unwrap());
        let mut full = plain.clone();
        full.label = "detail".into();
        for request in [plain, full] {
            assert_eq!(Queued::new(Fingerprint(1), request.clone(), 1).request(), request);
        }
    }

    #[test]
    fn a_plain_url_waits_in_little_space() {
        assert!(size_of::<Queued>() <= 112, "{}", size_of::<Queued>());
    }
}
