//! Credentials for sites, each bound to the one origin that it is for.
//!
//! The origin is compared with every request's, each hop of a redirect included, so a password
//! cannot follow a redirect elsewhere. Errors name keys, never values.

use std::env;

use crawl_model::CanonicalUrl;
use hyper::header::HeaderValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::message::basic_value;
use crate::{FetchConfigError, Secret};

/// Credentials of one origin, as written in a `[[fetch.auth]]` table: a user with a password
/// (RFC 7617), or a bearer token (RFC 6750, section 2.1).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct AuthConfig {
    /// Whom they are for: scheme, host and port, such as `https://shop.example`.
    pub origin: String,
    /// Name of the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The user's password; absent for an empty one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
    /// Environment variable that holds the password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_env: Option<String>,
    /// A token, in place of user and password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bearer: Option<Secret>,
    /// Environment variable that holds the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bearer_env: Option<String>,
}

/// What is sent to whom.
#[derive(Debug)]
pub(crate) struct Credentials(Vec<(CanonicalUrl, HeaderValue)>);

impl Credentials {
    /// Checks the tables and reads the environment.
    pub(crate) fn new(tables: &[AuthConfig]) -> Result<Self, FetchConfigError> {
        let mut list: Vec<(CanonicalUrl, HeaderValue)> = Vec::with_capacity(tables.len());
        for (i, table) in tables.iter().enumerate() {
            let bad = |key: &str, why: String| FetchConfigError::Auth {
                key: format!("fetch.auth[{i}]{key}"),
                why,
            };
            let origin = origin(&table.origin).ok_or_else(|| {
                let why = "write scheme, host and port alone, such as `https://shop.example`";
                bad(".origin", why.to_owned())
            })?;
            if list.iter().any(|(other, _)| is_same_origin(other, &origin)) {
                return Err(bad(".origin", format!("{} has credentials already", table.origin)));
            }
            let value = field(table).map_err(|(key, why)| bad(key, why))?;
            list.push((origin, value));
        }
        Ok(Self(list))
    }

    /// The `Authorization` field for `url`.
    pub(crate) fn field(&self, url: &CanonicalUrl) -> Option<&HeaderValue> {
        let (_, value) = self.0.iter().find(|(origin, _)| is_same_origin(origin, url))?;
        Some(value)
    }
}

/// Whether two URLs are of one origin (RFC 6454, section 5).
pub(crate) fn is_same_origin(a: &CanonicalUrl, b: &CanonicalUrl) -> bool {
    a.is_https() == b.is_https() && a.authority() == b.authority()
}

fn origin(text: &str) -> Option<CanonicalUrl> {
    let url = CanonicalUrl::parse(text).ok()?;
    let is_bare = url.path_and_query() == "/" && !text.contains(['?', '#', '@']);
    is_bare.then_some(url)
}

/// The field's value; or which key is wrong, and why.
fn field(table: &AuthConfig) -> Result<HeaderValue, (&'static str, String)> {
    let password = secret(&table.password, &table.password_env, ".password-env")?;
    let bearer = secret(&table.bearer, &table.bearer_env, ".bearer-env")?;
    let mut value = match (&table.user, password, bearer) {
        (Some(user), password, None) => {
            if user.contains(':') {
                // RFC 7617, section 2: it would be taken for the end of the name.
                return Err((".user", "a user's name has no colon".to_owned()));
            }
            basic_value(user.as_bytes(), password.unwrap_or_default().as_bytes())
        }
        (None, None, Some(token)) => HeaderValue::from_str(&format!("Bearer {token}"))
            .map_err(|_| (".bearer", "the token has forbidden characters".to_owned()))?,
        _ => return Err(("", "give `user` and `password`, or `bearer` alone".to_owned())),
    };
    value.set_sensitive(true);
    Ok(value)
}

/// A secret from its key, or else from the environment.
fn secret(
    written: &Option<Secret>,
    variable: &Option<String>,
    key: &'static str,
) -> Result<Option<String>, (&'static str, String)> {
    match (written, variable) {
        (Some(_), Some(_)) => Err((key, "the secret itself is given, too".to_owned())),
        (Some(secret), None) => Ok(Some(secret.reveal().to_owned())),
        (None, None) => Ok(None),
        (None, Some(name)) if name.is_empty() || name.contains(['=', '\0']) => {
            Err((key, "this is no name of an environment variable".to_owned()))
        }
        (None, Some(name)) => env::var(name).map(Some).map_err(|error| match error {
            env::VarError::NotPresent => {
                (key, format!("the environment variable {name} is not set"))
            }
            env::VarError::NotUnicode(_) => {
                (key, format!("the environment variable {name} is not UTF-8"))
            }
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables(toml: &str) -> Vec<AuthConfig> {
        #[derive(Deserialize)]
        struct File {
            auth: Vec<AuthConfig>,
        }
        toml::from_str::<File>(toml).unwrap().auth
    }

    #[track_caller]
    fn check(toml: &str, url: &str, expected: Option<&str>) {
        let credentials = Credentials::new(&tables(toml)).unwrap();
        let field = credentials.field(&CanonicalUrl::parse(url).unwrap());
        assert_eq!(field.map(|value| value.to_str().unwrap()), expected, "{url}");
        assert!(field.is_none_or(HeaderValue::is_sensitive));
    }

    #[test]
    fn credentials_go_to_their_origin_alone() {
        let shop = "[[auth]]\norigin = 'https://Shop.test:443'\nuser = 'joe'\npassword = 'pw'";
        check(shop, "https://shop.test/a?b", Some("Basic am9lOnB3"));
        for url in [
            "http://shop.test/",
            "https://shop.test:8443/",
            "https://www.shop.test/",
            "https://shop.test.evil.test/",
            "https://evil.test/?https://shop.test",
        ] {
            check(shop, url, None);
        }
        let both = "[[auth]]\norigin = 'http://a.test:81/'\nbearer = 't0k'\n[[auth]]\norigin = 'http://a.test'\nuser = 'u'";
        check(both, "http://a.test:81/x", Some("Bearer t0k"));
        check(both, "http://a.test/x", Some("Basic dTo="));
    }

    #[test]
    fn a_secret_may_come_from_the_environment() {
        // Every process of cargo's has it.
        let token = env::var("CARGO_PKG_NAME").unwrap();
        let toml = "[[auth]]\norigin = 'http://a.test'\nbearer-env = 'CARGO_PKG_NAME'";
        check(toml, "http://a.test/", Some(&format!("Bearer {token}")));
    }

    #[track_caller]
    fn refused(toml: &str, expected: &str) {
        let toml = format!("[[auth]]\norigin = 'http://first.test'\nuser = 'u'\n[[auth]]\n{toml}");
        let error = Credentials::new(&tables(&toml)).unwrap_err().to_string();
        assert!(error.contains(expected) && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn what_cannot_be_sent_is_refused_by_key() {
        for origin in [
            "",
            "shop.test",
            "ftp://a.test",
            "http://a.test/x",
            "http://u@a.test",
            "http://a.test/?q",
        ] {
            refused(&format!("origin = '{origin}'\nuser = 'u'"), "`fetch.auth[1].origin`");
        }
        refused("origin = 'http://first.test:80'\nuser = 'u'", "has credentials already");
        refused("user = 'u'", "`fetch.auth[1].origin`");
        let a = "origin = 'http://a.test'";
        refused(a, "`fetch.auth[1]`: give `user`");
        refused(&format!("{a}\npassword = 'hunter2'"), "give `user`");
        refused(&format!("{a}\nuser = 'u'\nbearer = 'hunter2'"), "give `user`");
        refused(&format!("{a}\nuser = 'a:b'"), "`fetch.auth[1].user`");
        refused(&format!("{a}\nbearer = \"hunter2\\n\""), "`fetch.auth[1].bearer`");
        refused(
            &format!("{a}\nuser = 'u'\npassword-env = 'CRAWL_NO_SUCH_VARIABLE'"),
            "CRAWL_NO_SUCH_VARIABLE is not set",
        );
        refused(&format!("{a}\nuser = 'u'\npassword-env = ''"), "`fetch.auth[1].password-env`");
        refused(
            &format!("{a}\nuser = 'u'\npassword-env = 'HOME'\npassword = 'hunter2'"),
            "given, too",
        );
    }

    #[test]
    fn secrets_are_not_in_what_is_printed() {
        let table =
            &tables("[[auth]]\norigin = 'http://a.test'\nuser = 'u'\npassword = 'hunter2'")[0];
        assert!(!format!("{table:?}").contains("hunter2"));
        let credentials = Credentials::new(std::slice::from_ref(table)).unwrap();
        assert!(!format!("{credentials:?}").contains("Basic"));
    }
}
