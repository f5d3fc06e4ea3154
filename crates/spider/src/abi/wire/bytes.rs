//! Numbers, texts and lists as bytes, and back.

use std::sync::Arc;

/// Why bytes are not what they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// They end in the middle.
    #[error("the frame is cut short")]
    Short,
    /// Something stands behind what was to be read.
    #[error("the frame has {0} bytes too many")]
    Long(usize),
    /// A number or a kind that there is not.
    #[error("the frame has a wrong {0}")]
    Wrong(&'static str),
    /// A text that is no UTF-8.
    #[error("the frame has a text that is not UTF-8")]
    Utf8,
    /// A URL that is none, or not one that is crawled.
    #[error("the frame has a wrong URL")]
    Url(#[from] crawl_model::UrlError),
    /// An item that is no JSON.
    #[error("the frame has an item that is not JSON: {0}")]
    Json(String),
}

/// Bytes that are read from front to back.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    is_trusted: bool,
}

impl<'a> Reader<'a> {
    /// Reads what somebody else wrote: everything is checked.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, is_trusted: false }
    }

    /// Reads what the host wrote. URLs are taken as they come and not parsed again.
    #[must_use]
    pub fn trusted(bytes: &'a [u8]) -> Self {
        Self { bytes, is_trusted: true }
    }

    /// Whether the host wrote it.
    #[must_use]
    pub fn is_trusted(&self) -> bool {
        self.is_trusted
    }

    /// What is left.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    /// One value.
    ///
    /// # Errors
    /// [`WireError`] if the bytes are none.
    pub fn get<T: Wire>(&mut self) -> Result<T, WireError> {
        T::get(self)
    }

    /// The value that all the bytes are.
    ///
    /// # Errors
    /// [`WireError`] if the bytes are none, or more.
    pub fn whole<T: Wire>(mut self) -> Result<T, WireError> {
        let value = self.get()?;
        self.end()?;
        Ok(value)
    }

    /// Checks that nothing is left.
    ///
    /// # Errors
    /// [`WireError::Long`].
    pub fn end(&self) -> Result<(), WireError> {
        match self.bytes.len() {
            0 => Ok(()),
            n => Err(WireError::Long(n)),
        }
    }

    #[inline]
    pub(crate) fn byte(&mut self) -> Result<u8, WireError> {
        let (&first, rest) = self.bytes.split_first().ok_or(WireError::Short)?;
        self.bytes = rest;
        Ok(first)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let (first, rest) = self.bytes.split_first_chunk().ok_or(WireError::Short)?;
        self.bytes = rest;
        Ok(*first)
    }

    #[inline]
    pub(crate) fn uint(&mut self) -> Result<u64, WireError> {
        let first = self.byte()?;
        if first < 0x80 {
            return Ok(u64::from(first));
        }
        let mut number = u64::from(first & 0x7f);
        for shift in (7..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(WireError::Wrong("number"))
    }

    /// A length of something of which each part takes at least a byte.
    #[inline]
    pub(crate) fn count(&mut self) -> Result<usize, WireError> {
        let count = usize::try_from(self.uint()?).map_err(|_| WireError::Short)?;
        if count > self.bytes.len() { Err(WireError::Short) } else { Ok(count) }
    }

    #[inline]
    pub(crate) fn slice(&mut self) -> Result<&'a [u8], WireError> {
        let n = self.count()?;
        self.take(n)
    }

    /// So many bytes.
    #[inline]
    pub(crate) fn take(&mut self, n: usize) -> Result<&'a [u8], WireError> {
        let (first, rest) = self.bytes.split_at_checked(n).ok_or(WireError::Short)?;
        self.bytes = rest;
        Ok(first)
    }

    #[inline]
    pub(crate) fn text(&mut self) -> Result<&'a str, WireError> {
        std::str::from_utf8(self.slice()?).map_err(|_| WireError::Utf8)
    }
}

/// What can be written as bytes and read again.
pub trait Wire: Sized {
    /// Appends itself.
    fn put(&self, out: &mut Vec<u8>);

    /// Reads itself.
    ///
    /// # Errors
    /// [`WireError`] if the bytes are none of these.
    fn get(from: &mut Reader<'_>) -> Result<Self, WireError>;
}

/// The bytes of one value.
#[must_use]
pub fn frame(value: &impl Wire) -> Vec<u8> {
    let mut out = Vec::new();
    value.put(&mut out);
    out
}

/// The bytes of a list, as a vector of the same values has them.
#[must_use]
pub fn frame_list<T: Wire>(list: &[T]) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 * list.len() + 8);
    put_uint(&mut out, list.len() as u64);
    list.iter().for_each(|value| value.put(&mut out));
    out
}

#[inline]
pub(crate) fn put_uint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

#[inline]
pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_uint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

macro_rules! unsigned {
    ($($type:ident)*) => {
        $(impl Wire for $type {
            fn put(&self, out: &mut Vec<u8>) {
                put_uint(out, *self as u64);
            }

            fn get(from: &mut Reader<'_>) -> Result<Self, WireError> {
                from.uint()?.try_into().map_err(|_| WireError::Wrong("number"))
            }
        })*
    };
}

unsigned! { u16 u32 u64 usize }

macro_rules! signed {
    ($($type:ident)*) => {
        // The sign goes to the lowest bit, so that small numbers stay short.
        $(impl Wire for $type {
            fn put(&self, out: &mut Vec<u8>) {
                let wide = i64::from(*self);
                put_uint(out, ((wide << 1) ^ (wide >> 63)) as u64);
            }

            fn get(from: &mut Reader<'_>) -> Result<Self, WireError> {
                let bits = from.uint()?;
                let wide = (bits >> 1) as i64 ^ -((bits & 1) as i64);
                wide.try_into().map_err(|_| WireError::Wrong("number"))
            }
        })*
    };
}

signed! { i32 i64 }

impl Wire for bool {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, WireError> {
        match from.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(WireError::Wrong("truth value")),
        }
    }
}

impl Wire for String {
    fn put(&self, out: &mut Vec<u8>) {
        put_bytes(out, self.as_bytes());
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, WireError> {
        from.text().map(str::to_owned)
    }
}

impl Wire for Box<str> {
    fn put(&self, out: &mut Vec<u8>) {
        put_bytes(out, self.as_bytes());
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, WireError> {
        from.text().map(Self::from)
    }
}

impl Wire for Arc<str> {
    fn put(&self, out: &mut Vec<u8>) {
        put_bytes(out, self.as_bytes());
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, WireError> {
        from.text().map(Self::from)
    }
}

impl<T: Wire> Wire for Box<T> {
    fn put(&self, out: &mut Vec<u8>) {
        (**self).put(out);
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, WireError> {
        from.get().map(Self::new)
    }
}

impl Wire for f64 {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_bits().to_le_bytes());
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self::from_bits(u64::from_le_bytes(from.array()?)))
    }
}

impl Wire for char {
    fn put(&self, out: &mut Vec<u8>) {
        u32::from(*self).put(out);
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, WireError> {
        Self::from_u32(from.get()?).ok_or(WireError::Wrong("character"))
    }
}

impl<T: Wire> Wire for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(self.is_some()));
        if let Some(value) = self {
            value.put(out);
        }
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(if from.get()? { Some(from.get()?) } else { None })
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        put_uint(out, self.len() as u64);
        self.iter().for_each(|value| value.put(out));
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, WireError> {
        let count = from.count()?;
        // A count may lie up to the number of bytes; what it says is not reserved unseen.
        let mut list = Self::with_capacity(count.min(256));
        for _ in 0..count {
            list.push(from.get()?);
        }
        Ok(list)
    }
}

impl<A: Wire, B: Wire> Wire for (A, B) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok((from.get()?, from.get()?))
    }
}

/// A struct as its fields, one behind the other. A field that is missing here does not compile.
macro_rules! wire_struct {
    ($type:ident { $($field:ident),* $(,)? }) => {
        impl $crate::abi::wire::Wire for $type {
            fn put(&self, out: &mut Vec<u8>) {
                let $type { $($field),* } = self;
                $($crate::abi::wire::Wire::put($field, out);)*
            }

            fn get(
                from: &mut $crate::abi::wire::Reader<'_>,
            ) -> Result<Self, $crate::abi::wire::WireError> {
                Ok($type { $($field: from.get()?),* })
            }
        }
    };
}

/// An enum without data as the number of its variant here.
macro_rules! wire_enum {
    ($type:ident, $what:literal: $($variant:ident = $number:literal),* $(,)?) => {
        impl $crate::abi::wire::Wire for $type {
            fn put(&self, out: &mut Vec<u8>) {
                out.push(match self { $($type::$variant => $number),* });
            }

            fn get(
                from: &mut $crate::abi::wire::Reader<'_>,
            ) -> Result<Self, $crate::abi::wire::WireError> {
                match from.byte()? {
                    $($number => Ok($type::$variant),)*
                    _ => Err($crate::abi::wire::WireError::Wrong($what)),
                }
            }
        }
    };
}

pub(crate) use {wire_enum, wire_struct};
