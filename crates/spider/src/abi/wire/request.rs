//! Requests and URLs as bytes.

use std::time::Duration;

use crawl_model::{CanonicalUrl, FetchOptions, Method, Request};

use super::bytes::{Reader, Wire, WireError, put_bytes, wire_enum, wire_struct};

impl Wire for CanonicalUrl {
    fn put(&self, out: &mut Vec<u8>) {
        let (text, places) = self.parts();
        put_bytes(out, text.as_bytes());
        places.iter().for_each(|place| place.put(out));
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, WireError> {
        let text = from.text()?;
        let places = [from.get()?, from.get()?, from.get()?];
        if from.is_trusted() {
            return Self::from_parts(text, places).ok_or(WireError::Wrong("place in a URL"));
        }
        Ok(Self::parse(text)?)
    }
}

wire_enum! { Method, "method": Get = 0, Head = 1, Post = 2 }

wire_struct! {
    Request {
        url, method, headers, body, label, errback, meta, priority, depth, chain, referrer, options,
    }
}

impl Wire for Vec<u8> {
    fn put(&self, out: &mut Self) {
        put_bytes(out, self);
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, WireError> {
        from.slice().map(<[u8]>::to_vec)
    }
}

wire_struct! {
    FetchOptions { timeout, not_before_ms, proxy, jar, accept, unique, cookies_changed }
}

impl Wire for Duration {
    fn put(&self, out: &mut Vec<u8>) {
        self.as_secs().put(out);
        self.subsec_nanos().put(out);
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, WireError> {
        let (secs, nanos) = (from.get()?, from.get::<u32>()?);
        if nanos < 1_000_000_000 {
            Ok(Self::new(secs, nanos))
        } else {
            Err(WireError::Wrong("time"))
        }
    }
}
