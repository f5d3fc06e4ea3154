//! Logging in: a hidden token that belongs to a cookie, and a cookie that says who is in.
//!
//! Nothing is remembered here: a session's number, its token and the proof of membership follow
//! from each other. So a crawl that is killed and resumed is still logged in, whatever the server.

use std::fmt::Write;
use std::sync::atomic::Ordering;

use super::{Quotes, render};
use crate::form::{pairs, value};
use crate::graph::canonical_number;
use crate::html::document;
use crate::random::mix;
use crate::{Reply, SiteRequest};

/// What the token of a session is mixed with, and the proof of its membership.
const TOKEN: u64 = 211;
const PROOF: u64 = 212;

impl Quotes {
    /// The form; a visitor without a session gets one.
    pub(super) fn login_page(&self, request: &SiteRequest<'_>) -> Reply {
        let known = session_of(request).map(|session| session.number);
        let number = known.unwrap_or_else(|| {
            u32::try_from(self.sessions.fetch_add(1, Ordering::Relaxed)).unwrap_or(u32::MAX)
        });
        let reply = Reply::html(form(number, false));
        match known {
            Some(_) => reply,
            None => reply.with_header("set-cookie", &cookie(&number.to_string())),
        }
    }

    /// Lets the reader in, and nobody else.
    pub(super) fn log_in(&self, request: &SiteRequest<'_>) -> Reply {
        let told = pairs(request.body);
        let field = |name| value(&told, name).unwrap_or_default();
        let session = session_of(request).map(|session| session.number);
        let Some(number) = session.filter(|n| field("csrf_token") == token(*n)) else {
            return Reply::status(403);
        };
        if (field("username"), field("password")) != (Self::USER, Self::PASSWORD) {
            return Reply::html(form(number, true));
        }
        let member = cookie(&format!("{number}-{}", proof(number)));
        Reply::redirect("/", 302).with_header("set-cookie", &member)
    }

    /// What a member sees beside each quote: a link that other visitors do not get.
    #[must_use]
    pub fn members_link(author: &super::Author) -> String {
        render::room_of(author)
    }
}

pub(super) fn log_out() -> Reply {
    Reply::redirect("/", 302).with_header("set-cookie", "session=; Path=/; Max-Age=0; HttpOnly")
}

/// Whether the request is a member's.
pub(super) fn is_in(request: &SiteRequest<'_>) -> bool {
    session_of(request).is_some_and(|session| session.is_member)
}

struct Session {
    number: u32,
    is_member: bool,
}

fn session_of(request: &SiteRequest<'_>) -> Option<Session> {
    let mut cookies = request.header("cookie")?.split(';').map(str::trim);
    let text = cookies.find_map(|cookie| cookie.strip_prefix("session="))?;
    let (number, proved) = text.split_once('-').unwrap_or((text, ""));
    let number = canonical_number(number)?;
    Some(Session { number, is_member: proved == proof(number) })
}

fn token(number: u32) -> String {
    format!("{:016x}", mix(TOKEN, u64::from(number)))
}

fn proof(number: u32) -> String {
    format!("{:016x}", mix(PROOF, u64::from(number)))
}

fn cookie(value: &str) -> String {
    format!("session={value}; Path=/; HttpOnly; SameSite=Lax")
}

fn form(number: u32, failed: bool) -> String {
    let mut html = String::from("<h1><a href=\"/\">Quotes to Scrape</a></h1>\n");
    if failed {
        html += "<p class=\"error\">Error while logging in: please, provide your username and your \
                 password.</p>\n";
    }
    let _ = write!(
        html,
        "<form action=\"/login\" method=\"post\" accept-charset=\"utf-8\">\n\
         <input type=\"hidden\" name=\"csrf_token\" value=\"{}\">\n\
         <label for=\"username\">Username</label>\n\
         <input type=\"text\" class=\"form-control\" id=\"username\" name=\"username\">\n\
         <label for=\"password\">Password</label>\n\
         <input type=\"password\" class=\"form-control\" id=\"password\" name=\"password\">\n\
         <input type=\"submit\" value=\"Login\" class=\"btn btn-primary\">\n</form>\n",
        token(number)
    );
    document("Login", &html)
}
