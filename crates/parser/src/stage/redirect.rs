//! Where a redirect leads, and whether it is followed.

use crawl_model::{CanonicalUrl, Request, Response, Verdict};

/// What becomes of a redirect.
pub(crate) enum Hop {
    /// It is followed by this request.
    To(Box<Request>),
    /// It is not.
    Refused {
        /// How the URL ends.
        verdict: Verdict,
        /// Where it leads, if anywhere.
        target: Option<CanonicalUrl>,
        /// Why, for people.
        detail: String,
    },
}

/// Judges a redirect by the chain that led to it (RFC 9110, section 15.4).
///
/// A target is a loop if it was asked before in the chain. A redirect of a POST to a GET of its
/// own URL is none.
pub(crate) fn judge(request: &Request, response: &Response, max_redirects: u32) -> Hop {
    let location = response.header("location").unwrap_or_default();
    let target = match request.url.join(location) {
        Ok(target) => target,
        Err(error) => {
            let location: String = location.chars().take(200).collect();
            return Hop::Refused {
                verdict: Verdict::BadRedirect,
                target: None,
                detail: format!("redirects to `{location}`: {error}"),
            };
        }
    };
    let hop = request.redirected(target.clone(), response.status);
    let is_itself = target.key() == request.url.key() && hop.method == request.method;
    let verdict = if is_itself || request.chain.iter().any(|url| url.key() == target.key()) {
        Verdict::RedirectLoop
    } else if request.chain.len() >= max_redirects as usize {
        Verdict::TooManyRedirects
    } else {
        return Hop::To(Box::new(hop));
    };
    let detail = match verdict {
        Verdict::RedirectLoop => format!("redirects back to {target}"),
        _ => format!("redirects to {target}, the {}. hop in a row", request.chain.len() + 1),
    };
    Hop::Refused { verdict, target: Some(target), detail }
}
