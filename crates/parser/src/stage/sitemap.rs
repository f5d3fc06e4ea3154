//! The answer to a request for a sitemap that a robots.txt named: its entries are followed, and no
//! callback is bothered with it.
//!
//! A sitemap that a spider follows by itself is a page like any other, and not read here.

use std::collections::HashSet;

use crawl_model::{Found, Look, Request, Response, Verdict};

use crate::plumbing::{SitemapKind, SitemapLine, sitemap};
use crate::stage::parser::{Parser, Read};
use crate::stage::record;
use crate::xml::gunzip_if;

impl Parser {
    /// Finds the entries of a sitemap; of what is none, nothing.
    pub(crate) fn sitemap(&self, request: &Request, response: &Response, read: &mut Read) {
        if !matches!(read.record.verdict, Verdict::Ok) && !read.record.verdict.is_truncated() {
            read.record.error = record::short(&format!("status {}", response.status));
            return;
        }
        if !is_list(&response.body) {
            read.record.error = "named as a sitemap by a robots.txt, but it is none".to_owned();
            return;
        }
        let media_type = response.header("content-type");
        let mut seen = HashSet::new();
        for line in sitemap(&response.body, media_type, &request.url.to_url()) {
            read.record.n_links = read.record.n_links.saturating_add(1);
            let (made, is_sitemap) = self.request_of(line, request);
            let print = self.view.fingerprint_of(&made);
            if !seen.insert(print) {
                continue;
            }
            let look = match is_sitemap {
                true => self.view.look_sitemap(print, &made.url, made.depth),
                false => self.view.look(print, &made.url, made.depth),
            };
            let filtered = match look {
                Look::Known => continue,
                Look::Admit => None,
                Look::Filter(reason) => Some(reason),
            };
            read.found.push(Found { print, request: made, filtered, renews: false });
        }
    }

    fn request_of(&self, line: SitemapLine, from: &Request) -> (Request, bool) {
        let is_sitemap = line.kind == SitemapKind::Sitemap;
        let mut made = Request::get(line.loc);
        made.depth = from.depth.saturating_add(1);
        made.referrer = Some(from.url.clone());
        if is_sitemap {
            made.label = from.label.clone();
        }
        (made, is_sitemap)
    }
}

/// Whether it may be a list of URLs: XML, or a text that begins with a whole URL. Of other texts
/// ("not found") every line could be taken for a relative one.
fn is_list(body: &[u8]) -> bool {
    let text = gunzip_if(body);
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text).trim_ascii_start();
    let starts_with = |prefix: &[u8]| {
        text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    let is_utf16 = matches!(text, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]);
    is_utf16 || [&b"<"[..], b"http://", b"https://"].into_iter().any(starts_with)
}
