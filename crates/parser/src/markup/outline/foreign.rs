//! SVG and MathML (HTML Standard, section 13.2.6.5).

use super::super::attrs::is_self_closing;
use super::super::charref::decode_attribute;
use super::super::events::{Consumer, Space};
use super::super::scan::Start;
use super::super::tags::{Tag, set};
use super::{Done, Outline};

impl<'a, C: Consumer<'a>> Outline<'a, '_, C> {
    /// Whether a start tag that follows in SVG or MathML follows their rules.
    pub(super) fn is_foreign_start(&self, tag: Tag) -> bool {
        match self.top().tag {
            Tag::SvgPoint | Tag::AnnotationPoint => false,
            Tag::MathText => matches!(tag, Tag::Mglyph | Tag::Malignmark),
            Tag::Annotation => tag != Tag::Svg,
            _ => true,
        }
    }

    pub(super) fn start_in_foreign(&mut self, tag: Start<'a>) -> Done {
        if tag.tag.is(set::BREAKS_OUT) || (tag.tag == Tag::Font && is_html_font(&tag)) {
            self.break_out();
            return self.start_in_html(tag);
        }
        let space = match self.top().tag {
            Tag::SvgElement | Tag::SvgPoint => Space::Svg,
            _ => Space::Math,
        };
        self.insert_foreign(tag, space)
    }

    /// Inserts an element of SVG or MathML.
    pub(super) fn insert_foreign(&mut self, tag: Start<'a>, space: Space) -> Done {
        let tag = tag.in_foreign();
        if is_self_closing(tag.region()) {
            return self.insert_leaf(tag, space);
        }
        self.insert_as(tag, entry(&tag, space), space)
    }

    pub(super) fn end_in_foreign(&mut self, name: &'a str, tag: Tag) -> Done {
        if matches!(tag, Tag::Br | Tag::P) {
            self.break_out();
            return self.end_in_html(name, tag);
        }
        for at in (1..self.stack.len()).rev() {
            let open = self.stack[at];
            if open.tag == Tag::Ghost {
                continue;
            }
            if !open.tag.is(set::FOREIGN) {
                return self.end_in_html(name, tag);
            }
            if open.name.eq_ignore_ascii_case(name) {
                self.pop_to(at);
                return Ok(());
            }
        }
        Ok(())
    }

    /// Closes SVG or MathML up to where HTML may stand.
    fn break_out(&mut self) {
        while self.is_in_foreign() && !matches!(self.top().tag, Tag::SvgPoint | Tag::MathText) {
            self.pop();
        }
    }
}

/// What the rules call an element of SVG or MathML.
fn entry(tag: &Start<'_>, space: Space) -> Tag {
    match (space, tag.tag) {
        (Space::Svg, Tag::ForeignObject | Tag::Desc | Tag::Title) => Tag::SvgPoint,
        (Space::Svg, _) => Tag::SvgElement,
        (_, Tag::Mi | Tag::Mo | Tag::Mn | Tag::Ms | Tag::Mtext) => Tag::MathText,
        (_, Tag::AnnotationXml) => {
            let encoding = tag.attr("encoding").map(decode_attribute).unwrap_or_default();
            let is_html = ["text/html", "application/xhtml+xml"]
                .iter()
                .any(|html| encoding.eq_ignore_ascii_case(html));
            if is_html { Tag::AnnotationPoint } else { Tag::Annotation }
        }
        (_, _) => Tag::MathElement,
    }
}

/// A `font` of HTML, not of SVG.
fn is_html_font(tag: &Start<'_>) -> bool {
    tag.attrs().any(|(name, _)| {
        ["color", "face", "size"].iter().any(|known| name.eq_ignore_ascii_case(known))
    })
}
