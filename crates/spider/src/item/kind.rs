//! Of what kind an item is that a callback keeps: found out by itself, whatever the callback does
//! with it before.
//!
//! serde hands a struct's name to whoever serialises it, and a derived item ([`note`]) its table
//! beside it. So the outermost thing that is serialised is asked, and nothing more is written: the
//! probe breaks off at once.

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

use crawl_model::{ItemKind, Kinds};
use serde::ser::{Error, Impossible, Serialize, Serializer};

use super::rt::Table;

thread_local! {
    /// The table of the derived item that was serialised last.
    static NOTED: Cell<Option<&'static Table>> = const { Cell::new(None) };
}

/// Says of what type the item is that is about to be serialised.
#[doc(hidden)]
pub fn note(table: &'static Table) {
    NOTED.set(Some(table));
}

/// The number of an item's kind in a list, which it joins if it must.
pub(crate) fn of(item: &(impl Serialize + ?Sized), kinds: &mut Kinds) -> u16 {
    NOTED.set(None);
    let name = match item.serialize(Probe) {
        Err(Stopped::AtStruct(name)) => name,
        Err(Stopped::Elsewhere) | Ok(()) => return Kinds::NONE,
    };
    match NOTED.get().filter(|table| table.name == name) {
        Some(table) => of_table(table, kinds),
        None => {
            let is_it = |kind: &Arc<ItemKind>| {
                *kind.name == *name && kind.version.is_empty() && kind.key.is_empty()
            };
            kinds.number(is_it, || Arc::new(ItemKind { name: name.into(), ..ItemKind::default() }))
        }
    }
}

/// The same of a derived item.
pub(crate) fn of_table(table: &'static Table, kinds: &mut Kinds) -> u16 {
    let kind = table.kind();
    kinds.number(|known| Arc::ptr_eq(known, kind), || kind.clone())
}

/// Finds out what is serialised, and writes nothing.
struct Probe;

/// Where the probe broke off.
#[derive(Debug)]
enum Stopped {
    AtStruct(&'static str),
    Elsewhere,
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("only looked at")
    }
}

impl std::error::Error for Stopped {}

impl Error for Stopped {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Elsewhere
    }
}

/// Methods that break off.
macro_rules! stop {
    ($($method:ident($($value:ty),*) -> $ok:ty;)*) => {
        $(fn $method(self, $(_: $value),*) -> Result<$ok, Stopped> {
            Err(Stopped::Elsewhere)
        })*
    };
}

type Nothing = Impossible<(), Stopped>;

impl Serializer for Probe {
    type Ok = ();
    type Error = Stopped;
    type SerializeSeq = Nothing;
    type SerializeTuple = Nothing;
    type SerializeTupleStruct = Nothing;
    type SerializeTupleVariant = Nothing;
    type SerializeMap = Nothing;
    type SerializeStruct = Nothing;
    type SerializeStructVariant = Nothing;

    stop! {
        serialize_bool(bool) -> ();
        serialize_i8(i8) -> ();
        serialize_i16(i16) -> ();
        serialize_i32(i32) -> ();
        serialize_i64(i64) -> ();
        serialize_u8(u8) -> ();
        serialize_u16(u16) -> ();
        serialize_u32(u32) -> ();
        serialize_u64(u64) -> ();
        serialize_f32(f32) -> ();
        serialize_f64(f64) -> ();
        serialize_char(char) -> ();
        serialize_str(&str) -> ();
        serialize_bytes(&[u8]) -> ();
        serialize_none() -> ();
        serialize_unit() -> ();
        serialize_unit_struct(&'static str) -> ();
        serialize_unit_variant(&'static str, u32, &'static str) -> ();
        serialize_seq(Option<usize>) -> Nothing;
        serialize_tuple(usize) -> Nothing;
        serialize_tuple_struct(&'static str, usize) -> Nothing;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Nothing;
        serialize_map(Option<usize>) -> Nothing;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Nothing;
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Nothing, Stopped> {
        Err(Stopped::AtStruct(name))
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Stopped> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Stopped> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Stopped> {
        Err(Stopped::Elsewhere)
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, _: &T) -> Result<(), Stopped> {
        Err(Stopped::Elsewhere)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(serde::Serialize)]
    struct Book {
        title: &'static str,
    }

    #[derive(serde::Serialize)]
    #[serde(transparent)]
    struct Wrapped(Option<Box<Book>>);

    fn name_of(item: &impl Serialize) -> Option<String> {
        let mut kinds = Kinds::default();
        let number = of(item, &mut kinds);
        kinds.get(number).map(|kind| kind.name.to_string())
    }

    #[test]
    fn a_struct_is_of_the_kind_that_it_is_called() {
        let book = Book { title: "x" };
        assert_eq!(name_of(&book), Some("Book".to_owned()));
        assert_eq!(name_of(&&book), Some("Book".to_owned()));
        assert_eq!(name_of(&Wrapped(Some(Box::new(book)))), Some("Book".to_owned()));
    }

    #[test]
    fn what_is_no_struct_is_of_no_kind() {
        let list = vec![Book { title: "x" }];
        assert_eq!(name_of(&list), None);
        assert_eq!(
            (name_of(&json!({"a": 1})), name_of(&"text"), name_of(&Wrapped(None))),
            (None, None, None)
        );
    }
}
