//! What a site is told of the page that led to it (W3C Referrer Policy).
//!
//! A policy is the crawl's, as if each page had asked for it: what pages themselves ask for
//! (their `Referrer-Policy`, `rel=noreferrer`) is not followed.

use crawl_model::CanonicalUrl;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::auth::is_same_origin;

/// How much of the referring page is told, as `fetch.referrer-policy` says; the names are the
/// W3C's. "Downgrade" is the way from https to http.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReferrerPolicy {
    /// Nothing.
    NoReferrer,
    /// The URL, but nothing on a downgrade.
    NoReferrerWhenDowngrade,
    /// The URL within an origin, nothing to others.
    SameOrigin,
    /// The origin.
    Origin,
    /// The origin, but nothing on a downgrade.
    StrictOrigin,
    /// The URL within an origin, the origin to others.
    OriginWhenCrossOrigin,
    /// The URL within an origin, the origin to others, nothing on a downgrade. What browsers do
    /// where a page asks for nothing else.
    #[default]
    StrictOriginWhenCrossOrigin,
    /// The URL.
    UnsafeUrl,
}

/// How much is told in one case.
enum Told {
    Nothing,
    Origin,
    Url,
}

impl ReferrerPolicy {
    /// The `Referer` field of a request for `to` that was found at `from`. It never has
    /// credentials or a fragment (RFC 9110, section 10.1.3).
    pub(crate) fn field(self, from: &CanonicalUrl, to: &CanonicalUrl) -> Option<String> {
        let is_same = is_same_origin(from, to);
        let is_downgrade = from.is_https() && !to.is_https();
        // The W3C cuts what is longer than 4096 bytes; no URL of a crawl is.
        match self.told(is_same, is_downgrade) {
            Told::Nothing => None,
            Told::Origin => Some(format!("{}/", from.origin())),
            Told::Url => Some(from.without_credentials().as_str().to_owned()),
        }
    }

    fn told(self, is_same: bool, is_downgrade: bool) -> Told {
        match self {
            Self::NoReferrer => Told::Nothing,
            Self::NoReferrerWhenDowngrade | Self::StrictOrigin if is_downgrade => Told::Nothing,
            Self::StrictOriginWhenCrossOrigin if is_downgrade => Told::Nothing,
            Self::NoReferrerWhenDowngrade | Self::UnsafeUrl => Told::Url,
            Self::Origin | Self::StrictOrigin => Told::Origin,
            Self::SameOrigin if is_same => Told::Url,
            Self::SameOrigin => Told::Nothing,
            Self::OriginWhenCrossOrigin | Self::StrictOriginWhenCrossOrigin if is_same => Told::Url,
            Self::OriginWhenCrossOrigin | Self::StrictOriginWhenCrossOrigin => Told::Origin,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told to the same origin, another one of the same scheme, and on a downgrade:
    /// `u`rl, `o`rigin or `-`.
    #[track_caller]
    fn check(policy: ReferrerPolicy, name: &str, expected: &str) {
        let from = CanonicalUrl::parse("https://joe:pw@a.test:444/x?y#z").unwrap();
        let told: String = ["https://a.test:444/", "https://a.test/", "http://a.test:444/"]
            .into_iter()
            .map(|to| match policy.field(&from, &CanonicalUrl::parse(to).unwrap()).as_deref() {
                None => '-',
                Some("https://a.test:444/") => 'o',
                Some("https://a.test:444/x?y") => 'u',
                Some(other) => panic!("{other}"),
            })
            .collect();
        assert_eq!(told, expected, "{name}");
        let written = toml::Value::try_from(policy).unwrap();
        assert_eq!(written.as_str(), Some(name));
    }

    #[test]
    fn each_policy_tells_what_the_w3c_says() {
        check(ReferrerPolicy::NoReferrer, "no-referrer", "---");
        check(ReferrerPolicy::NoReferrerWhenDowngrade, "no-referrer-when-downgrade", "uu-");
        check(ReferrerPolicy::SameOrigin, "same-origin", "u--");
        check(ReferrerPolicy::Origin, "origin", "ooo");
        check(ReferrerPolicy::StrictOrigin, "strict-origin", "oo-");
        check(ReferrerPolicy::OriginWhenCrossOrigin, "origin-when-cross-origin", "uoo");
        check(ReferrerPolicy::default(), "strict-origin-when-cross-origin", "uo-");
        check(ReferrerPolicy::UnsafeUrl, "unsafe-url", "uuu");
    }
}
