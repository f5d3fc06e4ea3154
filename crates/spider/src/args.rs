//! What a spider is told from outside.

use std::fmt;

use serde::Deserialize;
use serde::de::value::MapDeserializer;
use serde::de::{DeserializeOwned, Deserializer, IntoDeserializer, Visitor};
use serde_json::{Map, Value};

use crate::{Spider, SpiderError};

/// Arguments by name: the table `[spider.args]` of the config, and `-a name=value` of the command
/// line over it.
///
/// # Examples
/// ```
/// use crawl_spider::Args;
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct Tagged {
///     tag: String,
///     #[serde(default)]
///     pages: u32,
/// }
///
/// let mut args = Args::default();
/// args.set("tag", "love");
/// args.set("pages", "3");
/// let tagged: Tagged = args.to()?;
/// assert_eq!((&*tagged.tag, tagged.pages), ("love", 3));
/// # Ok::<(), crawl_spider::SpiderError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Args(Map<String, Value>);

impl Args {
    /// Arguments with values of JSON's types.
    #[must_use]
    pub fn new(args: Map<String, Value>) -> Self {
        Self(args)
    }

    /// Sets one as text, as the command line does; the text counts as a number or a truth value
    /// where one of these is asked for.
    pub fn set(&mut self, name: impl Into<String>, text: impl Into<String>) {
        self.0.insert(name.into(), Value::String(text.into()));
    }

    /// One of them; `None` if it was not given.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Whether none was given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them by name.
    #[must_use]
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }

    /// All of them, typed. With `#[serde(deny_unknown_fields)]` a misspelt one is an error.
    ///
    /// # Errors
    /// [`SpiderError::Args`] if they are not a `T`.
    pub fn to<T: DeserializeOwned>(&self) -> Result<T, SpiderError> {
        let args = self.0.iter().map(|(name, value)| (name.as_str(), Loose(value)));
        T::deserialize(MapDeserializer::new(args)).map_err(SpiderError::Args)
    }
}

/// Spiders that can be made of arguments; what a plugin's host and the command line ask for.
///
/// A spider with a [`Default`] is made by that, and takes no arguments. Others say here what they
/// take:
///
/// ```
/// use crawl_spider::{Args, FromArgs, Harvest, Page, Spider, SpiderError};
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct Tagged {
///     tag: String,
/// }
///
/// impl FromArgs for Tagged {
///     fn from_args(args: &Args) -> Result<Self, SpiderError> {
///         args.to()
///     }
/// }
/// # impl Spider for Tagged {
/// #     fn parse(&self, _: &Page<'_>, _: &mut Harvest) -> Result<(), SpiderError> { Ok(()) }
/// # }
/// ```
pub trait FromArgs: Spider + Sized {
    /// Makes a spider of its arguments.
    ///
    /// # Errors
    /// [`SpiderError::Args`] if one is missing, unknown or of a wrong type.
    fn from_args(args: &Args) -> Result<Self, SpiderError>;
}

impl<S: Spider + Default> FromArgs for S {
    fn from_args(args: &Args) -> Result<Self, SpiderError> {
        match args.0.keys().next() {
            None => Ok(Self::default()),
            Some(name) => {
                let text = format!("unknown argument `{name}`: this spider takes none");
                Err(SpiderError::Args(serde::de::Error::custom(text)))
            }
        }
    }
}

/// A value whose text may stand for a number or a truth value.
#[derive(Clone, Copy)]
struct Loose<'a>(&'a Value);

impl<'de> IntoDeserializer<'de, serde_json::Error> for Loose<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl Loose<'_> {
    /// What the text stands for, if it is JSON of that kind.
    fn reread(self, is_wanted: fn(&Value) -> bool) -> Value {
        let text = self.0.as_str().map(str::trim);
        let value = text.and_then(|text| serde_json::from_str(text).ok());
        value.filter(is_wanted).unwrap_or_else(|| self.0.clone())
    }
}

macro_rules! rereads {
    ($($method:ident $is_wanted:path;)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
            self.reread($is_wanted).$method(visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for Loose<'_> {
    type Error = serde_json::Error;

    rereads! {
        deserialize_bool Value::is_boolean;
        deserialize_i8 Value::is_number;
        deserialize_i16 Value::is_number;
        deserialize_i32 Value::is_number;
        deserialize_i64 Value::is_number;
        deserialize_u8 Value::is_number;
        deserialize_u16 Value::is_number;
        deserialize_u32 Value::is_number;
        deserialize_u64 Value::is_number;
        deserialize_f32 Value::is_number;
        deserialize_f64 Value::is_number;
        deserialize_seq Value::is_array;
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        self.0.clone().deserialize_any(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.0.clone().deserialize_enum(name, variants, visitor)
    }

    serde::forward_to_deserialize_any! {
        i128 u128 char str string bytes byte_buf unit unit_struct tuple tuple_struct map struct
        identifier ignored_any
    }
}

impl fmt::Display for Args {
    /// As `name=value`, in the order of their names.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (name, value)) in self.0.iter().enumerate() {
            let space = if i == 0 { "" } else { " " };
            match value {
                Value::String(text) => write!(f, "{space}{name}={text}")?,
                other => write!(f, "{space}{name}={other}")?,
            }
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Args {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Map::deserialize(deserializer).map(Self)
    }
}

impl serde::Serialize for Args {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Harvest, Page};

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "kebab-case")]
    struct Wanted {
        tag: String,
        n_pages: Option<u32>,
        #[serde(default)]
        deep: bool,
    }

    #[derive(Default)]
    struct Plain;

    impl Spider for Plain {
        fn parse(&self, _: &Page<'_>, _: &mut Harvest) -> Result<(), SpiderError> {
            Ok(())
        }
    }

    fn args(pairs: &[(&str, &str)]) -> Args {
        let mut args = Args::default();
        pairs.iter().for_each(|&(name, text)| args.set(name, text));
        args
    }

    #[test]
    fn texts_are_numbers_where_numbers_are_wanted_and_else_texts() {
        let wanted: Wanted =
            args(&[("tag", "17"), ("n-pages", " 3"), ("deep", "true")]).to().unwrap();
        assert_eq!(wanted, Wanted { tag: "17".into(), n_pages: Some(3), deep: true });
        let typed = json!({"tag": "x", "n-pages": 4});
        let wanted: Wanted = serde_json::from_value::<Args>(typed).unwrap().to().unwrap();
        assert_eq!((wanted.n_pages, wanted.deep), (Some(4), false));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error = args(&[("tag", "x"), ("n-pages", "many")]).to::<Wanted>().unwrap_err();
        assert!(error.chain().contains("\"many\""), "{}", error.chain());
        let error = args(&[("tag", "x"), ("n-page", "3")]).to::<Wanted>().unwrap_err();
        assert!(error.chain().contains("`n-page`"), "{}", error.chain());
        let error = Plain::from_args(&args(&[("tag", "x")])).err().unwrap();
        assert!(error.chain().contains("`tag`"), "{}", error.chain());
        assert!(Plain::from_args(&Args::default()).is_ok());
    }
}
