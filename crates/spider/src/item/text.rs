//! Values of a field, made of the text that was found.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::rc::Rc;
use std::str::FromStr;
use std::sync::Arc;

use crawl_model::CanonicalUrl;
use serde_json::{Number, Value};

use crate::Page;
use crate::process;

/// A type that a field of an item can have.
///
/// Strings, numbers, `bool`, `char`, IP addresses and [`CanonicalUrl`] have it. A type of your own
/// that has [`FromStr`] needs the attribute `parse`; implement this for one that needs the page.
///
/// # Examples
/// ```
/// use crawl_spider::{FromText, Page};
///
/// struct Sku(u32);
///
/// impl FromText for Sku {
///     fn from_text(text: &str, _page: &Page<'_>) -> Result<Self, String> {
///         let number = text.strip_prefix("SKU-").ok_or("it does not begin with `SKU-`")?;
///         Ok(Self(number.parse().map_err(|_| "there is no number behind `SKU-`")?))
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "a field of an item cannot be a `{Self}`",
    label = "no type that is made of text",
    note = "fields are strings, numbers, `bool`, `CanonicalUrl`, or `Option` or `Vec` of these",
    note = "write `parse` in its `#[item(..)]` if it implements `FromStr`, `with = function` if a function makes it, `each = \"..\"` if it is an item itself"
)]
pub trait FromText: Sized {
    /// Makes it of a text, which is not empty.
    ///
    /// # Errors
    /// What is wrong with the text, for people, without repeating it.
    fn from_text(text: &str, page: &Page<'_>) -> Result<Self, String>;
}

macro_rules! strings {
    ($($type:ty),+) => {$(
        impl FromText for $type {
            fn from_text(text: &str, _page: &Page<'_>) -> Result<Self, String> {
                Ok(text.into())
            }
        }
    )+};
}

strings!(String, Box<str>, Arc<str>, Rc<str>, Value);

macro_rules! numbers {
    ($($type:ty),+) => {$(
        impl FromText for $type {
            fn from_text(text: &str, _page: &Page<'_>) -> Result<Self, String> {
                text.parse().map_err(|error| {
                    let hint = match process::number(text) {
                        Some(_) => "; `number` takes the first number of a text",
                        None => "",
                    };
                    format!("it is no {}: {error}{hint}", stringify!($type))
                })
            }
        }
    )+};
}

numbers!(u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize, f32, f64, Number);

macro_rules! parsed {
    ($($type:ty),+) => {$(
        impl FromText for $type {
            fn from_text(text: &str, _page: &Page<'_>) -> Result<Self, String> {
                parse(text).map(|value| value.expect("parsing gives a value or an error"))
            }
        }
    )+};
}

parsed!(char, IpAddr, Ipv4Addr, Ipv6Addr);

impl FromText for bool {
    fn from_text(text: &str, _page: &Page<'_>) -> Result<Self, String> {
        process::boolean(text).ok_or_else(|| {
            "it is neither yes nor no; `exists` asks whether something matches".to_owned()
        })
    }
}

impl FromText for CanonicalUrl {
    fn from_text(text: &str, page: &Page<'_>) -> Result<Self, String> {
        page.join(text).map_err(|error| error.chain())
    }
}

/// What a function that reads values (`with = ..`) may return.
#[diagnostic::on_unimplemented(
    message = "a function that reads values cannot return `{Self}`",
    note = "it returns `Result<T, E>`, where `E` can be displayed, or `Option<T>`, `None` if there is no value"
)]
pub trait Answer<T> {
    /// The value, if there is one.
    ///
    /// # Errors
    /// What is wrong with the text.
    fn answer(self) -> Result<Option<T>, String>;
}

impl<T, E: std::fmt::Display> Answer<T> for Result<T, E> {
    fn answer(self) -> Result<Option<T>, String> {
        self.map(Some).map_err(|error| error.to_string())
    }
}

impl<T> Answer<T> for Option<T> {
    fn answer(self) -> Result<Option<T>, String> {
        Ok(self)
    }
}

/// What a function that changes texts (`map = ..`) may return.
#[diagnostic::on_unimplemented(
    message = "a function that changes texts cannot return `{Self}`",
    note = "it returns `String`, `&str`, `Cow<str>`, or an `Option` of one, `None` if nothing is left"
)]
pub trait Mapped {
    /// The text, if there is one.
    fn mapped(self) -> Option<String>;
}

impl Mapped for String {
    fn mapped(self) -> Option<String> {
        Some(self)
    }
}

impl Mapped for &str {
    fn mapped(self) -> Option<String> {
        Some(self.to_owned())
    }
}

impl Mapped for std::borrow::Cow<'_, str> {
    fn mapped(self) -> Option<String> {
        Some(self.into_owned())
    }
}

impl<T: Mapped> Mapped for Option<T> {
    fn mapped(self) -> Option<String> {
        self.and_then(Mapped::mapped)
    }
}

/// Makes a value as its type does.
pub fn text<T: FromText>(text: &str, page: &Page<'_>) -> Result<Option<T>, String> {
    T::from_text(text, page).map(Some)
}

/// Makes a value with [`FromStr`].
pub fn parse<T: FromStr<Err: std::fmt::Display>>(text: &str) -> Result<Option<T>, String> {
    text.parse().map(Some).map_err(|error: T::Err| error.to_string())
}
