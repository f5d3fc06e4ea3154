//! Pseudo-classes of the HTML Standard (section 4.16.3) that a document at rest answers.

use crawl_query::css::State;
use crawl_spider::NodeId;
use html5ever::ns;
use scraper::node::Element;

use super::element::{attr, is_html};
use super::matching::{Matcher, above, before};

/// What is remembered of elements in general, beside the numbers of a selector's parts.
const IN_DISABLED: u32 = u32::MAX;
const IN_EDITABLE: u32 = u32::MAX - 1;

impl Matcher<'_> {
    pub(super) fn state(&mut self, state: State, node: NodeId, element: &Element) -> bool {
        if element.name.ns != ns!(html) {
            return state == State::ReadOnly;
        }
        let is = |name: &str| attr(element, name).is_some();
        let tag = &*element.name.local;
        match state {
            State::Link => matches!(tag, "a" | "area") && is("href"),
            State::Checked => match tag {
                "input" => matches!(&*kind(element), "checkbox" | "radio") && is("checked"),
                "option" => is("selected"),
                _ => false,
            },
            State::Disabled => can_be_disabled(tag) && self.is_disabled(node, element),
            State::Enabled => can_be_disabled(tag) && !self.is_disabled(node, element),
            State::Required => can_be_required(element) && is("required"),
            State::Optional => {
                matches!(tag, "input" | "select" | "textarea")
                    && !(can_be_required(element) && is("required"))
            }
            State::ReadWrite => self.is_writable(node, element),
            State::ReadOnly => !self.is_writable(node, element),
        }
    }

    /// "Actually disabled" (HTML Standard, section 4.15).
    fn is_disabled(&mut self, node: NodeId, element: &Element) -> bool {
        if attr(element, "disabled").is_some() {
            return true;
        }
        match &*element.name.local {
            "option" => {
                let group = above(self.dom, node).and_then(|parent| self.dom.element(parent));
                group.is_some_and(|group| {
                    *group.name.local == *"optgroup" && attr(group, "disabled").is_some()
                })
            }
            "optgroup" => false,
            _ => self.walk(IN_DISABLED, Some(node), above, |this, node| {
                this.is_shut_in(node).then_some(true)
            }),
        }
    }

    /// Whether its parent is a disabled `fieldset` and it is not that one's first `legend`.
    fn is_shut_in(&self, node: NodeId) -> bool {
        let dom = self.dom;
        let is = |node: NodeId, name: &str| {
            dom.element(node).is_some_and(|e| e.name.ns == ns!(html) && *e.name.local == *name)
        };
        let Some(parent) = above(dom, node) else { return false };
        if !is(parent, "fieldset") || dom.attr(parent, "disabled").is_none() {
            return false;
        }
        let mut earlier = std::iter::successors(before(dom, node), |&node| before(dom, node));
        !is(node, "legend") || earlier.any(|node| is(node, "legend"))
    }

    fn is_writable(&mut self, node: NodeId, element: &Element) -> bool {
        let is_field = match &*element.name.local {
            "textarea" => true,
            "input" => matches!(
                &*kind(element),
                "text"
                    | "search"
                    | "url"
                    | "tel"
                    | "email"
                    | "password"
                    | "date"
                    | "month"
                    | "week"
                    | "time"
                    | "datetime-local"
                    | "number"
            ),
            _ => return self.is_editable(node),
        };
        is_field && attr(element, "readonly").is_none() && !self.is_disabled(node, element)
    }

    /// Whether `contenteditable` on it or the nearest element around it that has it says so.
    fn is_editable(&mut self, node: NodeId) -> bool {
        self.walk(IN_EDITABLE, Some(node), above, |this, node| {
            let element = this.dom.element(node)?;
            let value = attr(element, "contenteditable").filter(|_| is_html(this.dom, element))?;
            let is = |word: &str| value.eq_ignore_ascii_case(word);
            match () {
                () if value.is_empty() || is("true") || is("plaintext-only") => Some(true),
                () if is("false") => Some(false),
                () => None,
            }
        })
    }

    /// `:lang()`: what the nearest `lang` says (HTML Standard, section 3.2.6.2; a page's
    /// headers and `meta` elements do not count).
    pub(super) fn lang(&mut self, memo: u32, ranges: &[Box<str>], node: NodeId) -> bool {
        self.walk(memo, Some(node), above, |this, node| {
            let element = this.dom.element(node)?;
            let is_xml =
                |(key, _): &&(html5ever::QualName, _)| key.ns == ns!(xml) && *key.local == *"lang";
            let xml = element.attrs.iter().find(is_xml).map(|(_, value)| &**value);
            let plain = || attr(element, "lang").filter(|_| element.name.ns == ns!(html));
            let lang = xml.or_else(plain)?;
            Some(ranges.iter().any(|range| is_in_range(lang, range)))
        })
    }
}

/// Extended filtering (RFC 4647, section 3.3.2), as Selectors Level 4 has it in section 10.2.
fn is_in_range(lang: &str, range: &str) -> bool {
    if lang.is_empty() || range.is_empty() {
        return lang.is_empty() && range.is_empty();
    }
    let (mut tags, mut wanted) = (lang.split('-'), range.split('-'));
    let same = |tag: &str, want: &str| want == "*" || tag.eq_ignore_ascii_case(want);
    let is_first = tags.next().zip(wanted.next()).is_some_and(|(tag, want)| same(tag, want));
    is_first
        && wanted.filter(|&want| want != "*").all(|want| {
            // Subtags may stand between, but none of one character: those begin extensions.
            let found = tags.find(|tag| same(tag, want) || tag.len() == 1);
            found.is_some_and(|tag| same(tag, want))
        })
}

/// The `type` of an `input`, in lower case.
fn kind(element: &Element) -> String {
    let known = [
        "hidden",
        "search",
        "tel",
        "url",
        "email",
        "password",
        "date",
        "month",
        "week",
        "time",
        "datetime-local",
        "number",
        "range",
        "color",
        "checkbox",
        "radio",
        "file",
        "submit",
        "image",
        "reset",
        "button",
    ];
    let kind = attr(element, "type").unwrap_or_default().to_ascii_lowercase();
    // What is unknown is a text field (section 4.10.5).
    if known.contains(&&*kind) { kind } else { "text".to_owned() }
}

fn can_be_disabled(tag: &str) -> bool {
    matches!(tag, "button" | "input" | "select" | "textarea" | "optgroup" | "option" | "fieldset")
}

/// Whether the `required` attribute means something on it.
fn can_be_required(element: &Element) -> bool {
    match &*element.name.local {
        "select" | "textarea" => true,
        "input" => !matches!(
            &*kind(element),
            "hidden" | "range" | "color" | "submit" | "image" | "reset" | "button"
        ),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_in_range;

    #[test]
    fn languages_match_by_extended_filtering() {
        for (lang, range, expected) in [
            ("de", "de", true),
            ("de-AT", "DE", true),
            ("den", "de", false),
            ("de-Latn-DE-1996", "de-DE", true),
            ("de-x-DE", "de-DE", false),
            ("de-Deva", "de-DE", false),
            ("fr-CH", "*-CH", true),
            ("fr-CH", "*", true),
            ("", "*", false),
            ("", "", true),
            ("de", "", false),
            ("de-CH", "de-*-CH", true),
        ] {
            assert_eq!(is_in_range(lang, range), expected, "{lang} {range}");
        }
    }
}
