//! The `[scope.identity]` table, as written.

use serde::{Deserialize, Serialize};

/// Which URLs count as one, as written in the `[scope.identity]` table.
///
/// Only the key by which duplicates are told changes: a URL is fetched as it was found. A crawl
/// keeps the identity it was begun with, for what it knows is known by it; a resume with another
/// one is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct IdentityConfig {
    /// Names of query parameters that say nothing of the page; a `*` at the end stands for any
    /// rest. Case does not count. Default: those by which visitors are tracked.
    pub ignore_parameters: Vec<String>,
    /// Whether session ids are ignored: in the query (`PHPSESSID`, `jsessionid`, `CFID`, and `sid`
    /// and the like if the value looks like one), behind a `;` in the path, and those of ASP.NET,
    /// `/(S(…))/`. Default: true.
    pub ignore_session_ids: bool,
    /// Whether the order of query parameters is ignored; that of several values of one parameter
    /// counts. Default: false, for there are sites to which the order says something.
    pub sort_query: bool,
    /// Whether `/a` and `/a/` are one. Default: false, for to many servers they are not.
    pub trailing_slash: bool,
    /// Bits by which URLs are told apart: 64 or 128. With 64 the chance that any two of a hundred
    /// million URLs are taken for one is 0.03 %, of a billion 3 %; with 128 it is nothing, and the
    /// seen set takes twice the memory and disk. Default: 64.
    #[cfg_attr(feature = "schema", schemars(with = "u8"))]
    pub fingerprint_bits: FingerprintBits,
}

/// How many bits tell URLs apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum FingerprintBits {
    /// One hash of 64 bits.
    #[default]
    Bits64,
    /// Two of 63 bits each, under keys of their own.
    Bits128,
}

impl TryFrom<u8> for FingerprintBits {
    type Error = &'static str;

    fn try_from(bits: u8) -> Result<Self, Self::Error> {
        match bits {
            64 => Ok(Self::Bits64),
            128 => Ok(Self::Bits128),
            _ => Err("a fingerprint has 64 or 128 bits"),
        }
    }
}

impl From<FingerprintBits> for u8 {
    fn from(bits: FingerprintBits) -> Self {
        match bits {
            FingerprintBits::Bits64 => 64,
            FingerprintBits::Bits128 => 128,
        }
    }
}

impl Default for IdentityConfig {
    fn default() -> Self {
        Self {
            ignore_parameters: TRACKING.split_whitespace().map(str::to_owned).collect(),
            ignore_session_ids: true,
            sort_query: false,
            trailing_slash: false,
            fingerprint_bits: FingerprintBits::default(),
        }
    }
}

impl IdentityConfig {
    /// Every difference counts: what a crawl was begun with whose folder says nothing of it.
    #[must_use]
    pub fn literal() -> Self {
        Self { ignore_parameters: Vec::new(), ignore_session_ids: false, ..Self::default() }
    }
}

/// What browsers take out of links: the strip list of Firefox's query stripping
/// (`privacy.query_stripping.strip_list`, as shipped with its strict mode), with Google's `utm_*`,
/// `gclsrc`, `srsltid` and `_gl`, and the click ids of Mailchimp, Marketo, TikTok, LinkedIn and
/// Yandex that came later.
const TRACKING: &str = "\
    __hsfp __hssc __hstc __s _gl _hsenc _hsmi _openstat dclid fbclid gbraid gclid gclsrc \
    hsctatracking igshid li_fat_id mc_cid mc_eid mkt_tok ml_subscriber ml_subscriber_hash msclkid \
    oly_anon_id oly_enc_id rb_clickid s_cid srsltid ttclid twclid utm_* vero_conv vero_id wbraid \
    wickedid yclid ysclid";

/// An entry of `ignore-parameters` that is no parameter's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "scope.identity.ignore-parameters: `{0}` is not the name of a parameter; write `name`, or \
     `name*` for all that begin so"
)]
pub struct NoParameter(pub String);
