//! What a fetch is held to, which may differ from host to host (`[[host]]` tables).

use std::sync::Arc;

use crawl_model::{Errand, Failure, FailureKind, Method, Ticket};
use hyper::Response as Head;
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;

use crate::body::BodyLimits;
use crate::config::Limits;
use crate::cookies::Cookies;
use crate::file::FileRules;
use crate::media::{MediaTypes, essence};
use crate::message::Writer;
use crate::proxy::{Proxies, Rotation};
use crate::{FetchConfig, FetchConfigError};

/// Least body limit of a robots.txt: what must be parsed of one (RFC 9309, section 2.5).
const ROBOTS_BYTES: usize = 512 * 1024;

/// What may differ from host to host.
pub(crate) struct Settings {
    pub(crate) limits: Limits,
    pub(crate) writer: Writer,
    wanted: MediaTypes,
    pub(crate) proxies: Rotation,
}

impl Settings {
    pub(crate) fn new(
        config: &FetchConfig,
        cookies: &Arc<Cookies>,
        proxies: &Proxies,
    ) -> Result<Self, FetchConfigError> {
        Ok(Self {
            limits: Limits::new(config)?,
            writer: Writer::new(config, cookies.clone())?,
            wanted: MediaTypes::new(&config.content_types)?,
            proxies: proxies.rotation(&config.proxy)?,
        })
    }

    /// Refuses a page of an unwanted type before its body is read. Answers to HEAD have no body
    /// that could be unwanted, robots.txt is read whatever it claims to be, and what is not 2xx
    /// tells its status.
    pub(crate) fn check_type(
        &self,
        ticket: &Ticket,
        head: &Head<Incoming>,
        files: Option<&FileRules>,
    ) -> Result<(), Failure> {
        // A sitemap that was asked for as such may be a compressed file.
        let is_page = matches!(
            ticket.errand(),
            Errand::Page(page) if page.method != Method::Head && !page.is_sitemap()
        );
        let Some(value) = head.headers().get(CONTENT_TYPE) else { return Ok(()) };
        if !is_page || !head.status().is_success() {
            return Ok(());
        }
        let wanted = match files.zip(FileRules::kind(ticket)) {
            Some((files, kind)) => files.wants(kind, value.as_bytes()),
            None if self.wanted.wants(value.as_bytes()) => Ok(()),
            None => Err("fetch.content-types"),
        };
        let Err(why) = wanted else { return Ok(()) };
        let media_type = String::from_utf8_lossy(essence(value.as_bytes()));
        let media_type = media_type.escape_debug().take(100).collect::<String>();
        let detail = format!("media type {media_type} is not wanted ({why})");
        Err(Failure::new(FailureKind::ContentType, detail))
    }

    /// What the body of an answer to `ticket` must not exceed; `files` if it is a file.
    pub(crate) fn body_limits(&self, ticket: &Ticket, files: Option<&FileRules>) -> BodyLimits {
        let limits = &self.limits;
        let least = match ticket.errand() {
            Errand::Page(_) => 0,
            Errand::Robots { .. } => ROBOTS_BYTES,
        };
        let (bytes, coded_bytes) = match files {
            // What does not get smaller by its coding gets a little larger.
            Some(files) => (files.bytes, files.bytes.saturating_add(files.bytes / 8)),
            None => (limits.body_bytes.max(least), limits.coded_bytes.max(2 * least)),
        };
        BodyLimits { bytes, coded_bytes, ratio: limits.ratio, idle: limits.idle, rate: limits.rate }
    }
}
