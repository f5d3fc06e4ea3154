//! A form of the kind that ASP.NET made: the second field's choices come after the first is sent,
//! and a hidden state must come back as it was given, or the server fails.

use std::fmt::Write;

use super::{AUTHORS, Quotes};
use crate::form::{pairs, value};
use crate::html::{document, escaped};
use crate::random::mix;
use crate::{Reply, SiteRequest};

/// What stands for "not chosen".
const NONE: &str = "----------";

/// The form, nothing chosen.
pub(super) fn start() -> Reply {
    Reply::html(page(NONE, NONE))
}

/// The form with the tags of the author; with the quotes, if a tag was sent as well.
pub(super) fn results(request: &SiteRequest<'_>) -> Reply {
    let told = pairs(request.body);
    let field = |name| value(&told, name).unwrap_or_default();
    let author = AUTHORS.iter().find(|author| author.name == field("author"));
    let Some(author) = author.map(|author| author.name) else { return start() };
    let sent = field("__VIEWSTATE");
    let names = AUTHORS.iter().map(|author| author.name).chain([NONE]);
    let Some(offered) = names.into_iter().find(|name| state(name) == sent) else {
        return Reply::status(500);
    };
    // A tag counts only if it was among the choices, which the state tells.
    let tags = if offered == author { Quotes::tags_of(author) } else { Vec::new() };
    let tag = tags.into_iter().find(|tag| *tag == field("tag")).unwrap_or(NONE);
    Reply::html(page(author, tag))
}

/// The hidden state of a form whose tags are those of `author`.
fn state(author: &str) -> String {
    let bytes = author.bytes().fold(7, |sum, byte| mix(sum, u64::from(byte)));
    format!("{:016x}{:016x}/+==", bytes, mix(221, bytes))
}

fn page(author: &str, tag: &str) -> String {
    let mut html = String::from(
        "<h1><a href=\"/\">Quotes to Scrape</a></h1>\n\
         <form name=\"filterform\" id=\"filterform\" method=\"post\" action=\"/filter.aspx\">\n",
    );
    select(&mut html, "author", author, AUTHORS.iter().map(|author| author.name));
    select(&mut html, "tag", tag, Quotes::tags_of(author).into_iter());
    let _ = write!(
        html,
        "<input type=\"submit\" name=\"submit_button\" value=\"Search\">\n\
         <input type=\"hidden\" name=\"__VIEWSTATE\" id=\"__VIEWSTATE\" value=\"{}\">\n</form>\n\
         <div class=\"results\">\n",
        state(author)
    );
    let found = if tag == NONE { Vec::new() } else { Quotes::search(author, tag) };
    for quote in found {
        let _ = write!(
            html,
            "<div class=\"quote\">\n<span class=\"content\">{}</span><br>\n- <span class=\"author\">{}\
             </span>\n<span class=\"tag\">{tag}</span>\n</div>\n",
            escaped(&quote.text),
            escaped(quote.author)
        );
    }
    html += "</div>\n";
    document("Quotes to Scrape", &html)
}

fn select(
    html: &mut String,
    name: &str,
    chosen: &str,
    choices: impl Iterator<Item = &'static str>,
) {
    let _ = write!(
        html,
        "<label for=\"{name}\">{name}:</label>\n<select name=\"{name}\" id=\"{name}\">\n"
    );
    for choice in std::iter::once(NONE).chain(choices) {
        let selected = if choice == chosen { " selected" } else { "" };
        let text = escaped(choice);
        let _ = match choice {
            NONE => writeln!(html, "<option{selected}>{text}</option>"),
            _ => writeln!(html, "<option value=\"{text}\"{selected}>{text}</option>"),
        };
    }
    *html += "</select>\n";
}
