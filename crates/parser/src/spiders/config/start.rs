//! How a crawl begins, as written.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::is_the_default;

/// One or more requests to begin with, as written in a `[[spider.start]]` table.
///
/// `{name}` stands for the argument `name` of the spider (a list gives a request for each),
/// `{1..20}` for each number of the range. In all other texts than the URL only arguments count.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct StartConfig {
    /// The URL: `https://example.org/tag/{tag}/page/{1..20}/`.
    pub url: String,
    /// Label that the pages get. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Names and values to post as a form. Default: nothing is posted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<IndexMap<String, String>>,
    /// What to post as JSON. Default: nothing is posted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub json: Option<Value>,
    /// Header fields. Default: none but those of `fetch.headers`.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub headers: IndexMap<String, String>,
    /// Priority that the requests get: higher goes first within a host. Default: 0.
    #[serde(skip_serializing_if = "is_the_default")]
    pub priority: i32,
    /// Values that travel with the requests; a field with `meta` gets them there.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub carry: Map<String, Value>,
}

/// What is sent before the crawl begins, as written in the `[spider.login]` table.
///
/// The page is asked for, its form is filled in and sent, and only when the answer shows that it
/// worked the seeds are asked for. It is done once per crawl; the cookies are kept with it. The
/// request with the password is kept in the crawl's folder, too.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct LoginConfig {
    /// URL of the page with the form.
    pub url: String,
    /// CSS selector of the form. Default: the first one with a field for a password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<String>,
    /// What to fill in, by the names of the fields. A value that begins with `$` is the name of an
    /// environment variable; `$$` stands for `$`.
    pub fields: IndexMap<String, String>,
    /// The button to press, by its name, `id` or what is written on it. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub button: Option<String>,
    /// Selector of something that only those see who are logged in. Default: it worked if the
    /// answer does not have the form again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
}
