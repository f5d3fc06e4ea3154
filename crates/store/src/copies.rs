//! Which of two copies of a page is kept.
//!
//! Writing again is harmless: the keys are the same, and what an earlier copy had beyond the new
//! one goes in the same batch. A copy that is worse for passing reasons (cut short, the server
//! down) does not replace a good one.

use crawl_model::{PageRecord, Verdict};

/// What tells a better copy from a worse one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Copy {
    verdict: Verdict,
    status: Option<u16>,
    bytes: u64,
}

/// Better is greater.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Quality {
    /// No answer, or "try again later".
    Failed,
    /// A page, but not all of it, or not all that it says.
    Partial,
    /// The server's last word: a whole page, a redirect, "not found".
    Answer,
}

impl Copy {
    pub(crate) fn of(record: &PageRecord) -> Self {
        Self { verdict: record.verdict, status: record.status, bytes: record.bytes }
    }

    /// Whether `old` is to stay in its place.
    pub(crate) fn is_worse_than(&self, old: &Self) -> bool {
        let (new_quality, old_quality) = (self.quality(), old.quality());
        let is_shorter = new_quality == Quality::Partial && self.bytes < old.bytes;
        new_quality < old_quality || (new_quality == old_quality && is_shorter)
    }

    /// Whether it says nothing but that there was no answer.
    pub(crate) fn is_failed(&self) -> bool {
        self.quality() == Quality::Failed
    }

    fn quality(&self) -> Quality {
        match self.verdict {
            Verdict::Ok
            | Verdict::NoIndex
            | Verdict::AuthRequired
            | Verdict::Redirected
            | Verdict::RedirectLoop
            | Verdict::TooManyRedirects
            | Verdict::BadRedirect
            | Verdict::ContentType
            | Verdict::Stored
            | Verdict::TooSmall => Quality::Answer,
            Verdict::HttpError => match self.status {
                Some(408 | 429 | 500..) | None => Quality::Failed,
                Some(_) => Quality::Answer,
            },
            Verdict::Truncated
            | Verdict::TruncatedLength
            | Verdict::TruncatedCoded
            | Verdict::TruncatedRatio
            | Verdict::TruncatedIdle
            | Verdict::TruncatedSlow
            | Verdict::TruncatedTime
            | Verdict::TruncatedCoding
            | Verdict::TruncatedWindow
            | Verdict::TruncatedNesting
            | Verdict::TruncatedFraming
            | Verdict::SpiderError
            | Verdict::SpiderPanic
            | Verdict::SpiderTimeout
            | Verdict::SpiderCrash
            // Says only that the copy which is there is good.
            | Verdict::NotModified => Quality::Partial,
            Verdict::RateLimited
            | Verdict::ServerError
            | Verdict::DnsFailed
            | Verdict::DnsTimeout
            | Verdict::PrivateAddress
            | Verdict::ConnectFailed
            | Verdict::ConnectTimeout
            | Verdict::TlsFailed
            | Verdict::TlsTimeout
            | Verdict::CertificateExpired
            | Verdict::CertificateUntrusted
            | Verdict::CertificateName
            | Verdict::ProxyFailed
            | Verdict::Timeout
            | Verdict::HeaderTimeout
            | Verdict::NotHttp
            | Verdict::Disconnected
            | Verdict::HeaderLimit
            | Verdict::HeaderCount
            | Verdict::NotCached
            | Verdict::HostDead
            | Verdict::RobotsUnreachable
            | Verdict::Poisoned
            | Verdict::Refused
            | Verdict::Filtered
            | Verdict::FileBudget => Quality::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copy(verdict: Verdict, status: u16, bytes: u64) -> Copy {
        Copy { verdict, status: Some(status), bytes }
    }

    #[test]
    fn a_worse_copy_is_one_that_is_cut_or_failed_for_now() {
        let whole = copy(Verdict::Ok, 200, 100);
        let cut = copy(Verdict::Truncated, 200, 50);
        let busy = copy(Verdict::HttpError, 503, 0);
        let gone = copy(Verdict::HttpError, 404, 0);
        assert!(
            cut.is_worse_than(&whole) && busy.is_worse_than(&whole) && busy.is_worse_than(&cut)
        );
        assert!(busy.is_worse_than(&gone));
        assert!(!gone.is_worse_than(&whole) && !whole.is_worse_than(&gone));
        assert!(!whole.is_worse_than(&cut) && !busy.is_worse_than(&busy));
        assert!(copy(Verdict::Truncated, 200, 40).is_worse_than(&cut));
        assert!(!copy(Verdict::Truncated, 200, 60).is_worse_than(&cut));
    }
}
