//! Where a redirect leads, and whether it is followed.
//!
//! A redirect is judged by the chain of requests that led to it; who sends the next request is no
//! business of this.

use crate::{CanonicalUrl, Method, Request, Response, Verdict};

/// What becomes of a redirect.
#[derive(Debug)]
pub enum Hop {
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

/// A redirect, however it was told.
#[derive(Debug, Clone, Copy)]
pub struct Redirect<'a> {
    /// What was asked.
    pub request: &'a Request,
    /// With which status it came; decides what becomes of the method.
    pub status: u16,
    /// Whether the answer changed the cookies.
    pub sets_cookies: bool,
}

impl Redirect<'_> {
    /// Judges the `Location` of a response (RFC 9110, section 10.2.2).
    #[must_use]
    pub fn judge(&self, response: &Response, max_redirects: u32) -> Hop {
        let location = response.location().unwrap_or_default();
        match self.request.url.join(&location) {
            Ok(target) => self.judge_target(target, max_redirects),
            Err(error) => {
                let location: String = location.chars().take(200).collect();
                Hop::Refused {
                    verdict: Verdict::BadRedirect,
                    target: None,
                    detail: format!("redirects to `{location}`: {error}"),
                }
            }
        }
    }

    /// Judges a redirect by the chain that led to it (RFC 9110, section 15.4).
    ///
    /// A target is a loop if it was asked before in the chain, unless the cookies have changed
    /// since: login pages and cookie walls redirect to themselves. That happens once per chain,
    /// and such a hop is a request of its own, for its URL is known. So is a hop from a POST that
    /// changed the cookies, for what it shows is another page to who has logged in. A redirect of
    /// a POST to a GET of its own URL is no loop.
    #[must_use]
    pub fn judge_target(&self, target: CanonicalUrl, max_redirects: u32) -> Hop {
        let request = self.request;
        let has_new_cookies = self.sets_cookies || request.options().cookies_changed;
        let mut hop = request.redirected(target.clone(), self.status);
        let is_itself = target.key() == request.url.key() && hop.method == request.method;
        let is_loop = is_itself || request.chain.iter().any(|url| url.key() == target.key());
        let verdict = if is_loop && !(has_new_cookies && is_first_round(request)) {
            Verdict::RedirectLoop
        } else if request.chain.len() >= max_redirects as usize {
            Verdict::TooManyRedirects
        } else {
            if is_loop || (self.sets_cookies && request.method == Method::Post) {
                hop = request.refetched(target, self.status);
            } else if has_new_cookies {
                hop.options_mut().cookies_changed = true;
            }
            return Hop::To(Box::new(hop));
        };
        let detail = match verdict {
            Verdict::RedirectLoop => format!("redirects back to {target}"),
            _ => format!("redirects to {target}, the {}. hop in a row", request.chain.len() + 1),
        };
        Hop::Refused { verdict, target: Some(target), detail }
    }
}

/// Whether no URL comes twice in the chain, this request's included.
fn is_first_round(request: &Request) -> bool {
    let urls: Vec<_> = request.chain.iter().chain([&request.url]).map(CanonicalUrl::key).collect();
    (1..urls.len()).all(|i| !urls[..i].contains(&urls[i]))
}
