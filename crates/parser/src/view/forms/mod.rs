//! Forms as a browser would submit them (HTML Standard, section 4.10.21.4), but for the values
//! that a person or a script would put in.

mod options;
mod value;

use std::collections::{HashMap, HashSet};

use crawl_model::{CanonicalUrl, Method, UrlError};
use crawl_spider::{Button, Enctype, Field, FieldKind, FormParts, FormTarget, NodeId};
use encoding_rs::{Encoding, UTF_8};

use self::options::Suggestions;
use crate::dom::Dom;
use crate::links::prefix;
use crate::view::text::shown_up_to;

/// How an address is resolved.
pub(crate) type Resolve<'r> = dyn Fn(&str) -> Result<CanonicalUrl, UrlError> + 'r;

/// Bytes of an address as written that are kept; longer ones are no URL that is crawled.
const MAX_ACTION_BYTES: usize = crawl_model::url::MAX_URL_BYTES;

/// Bytes of a button's label that are kept.
const MAX_LABEL_BYTES: usize = 800;

/// All forms of a document, in its order.
///
/// `url` is the document's own, which an empty action means.
pub(crate) fn forms(
    dom: &Dom,
    url: &CanonicalUrl,
    encoding: &'static Encoding,
    resolve: &Resolve<'_>,
) -> Vec<FormParts> {
    let source = Source { dom, url, resolve };
    let is_form = |node: &NodeId| dom.name(*node) == "form" && dom.is_element(*node);
    let nodes = dom.descendants(dom.document()).filter(is_form);
    let mut forms: Vec<FormParts> = nodes.map(|node| source.form(node, encoding)).collect();
    if !forms.is_empty() {
        Walk::new(source, &mut forms).run();
        forms.iter_mut().for_each(settle_radios);
    }
    forms
}

/// What addresses are resolved with.
#[derive(Clone, Copy)]
struct Source<'a> {
    dom: &'a Dom,
    url: &'a CanonicalUrl,
    resolve: &'a Resolve<'a>,
}

impl Source<'_> {
    fn form(&self, node: NodeId, encoding: &'static Encoding) -> FormParts {
        let text = |name| self.dom.attr(node, name).unwrap_or_default().to_owned();
        let (action, url) = self.action(self.dom.attr(node, "action").unwrap_or_default());
        let method = method(self.dom.attr(node, "method").unwrap_or_default());
        let enctype = enctype(self.dom.attr(node, "enctype").unwrap_or_default());
        FormParts {
            node,
            id: text("id"),
            name: text("name"),
            target: FormTarget { action, url, method, enctype },
            charset: charset(self.dom.attr(node, "accept-charset"), encoding).name().to_owned(),
            fields: Vec::new(),
            buttons: Vec::new(),
        }
    }

    /// An address as written (no more of it than a URL may have) and as resolved.
    fn action(&self, action: &str) -> (String, Result<CanonicalUrl, UrlError>) {
        let url = if action.is_empty() { Ok(self.url.clone()) } else { (self.resolve)(action) };
        (prefix(action, MAX_ACTION_BYTES).to_owned(), url)
    }

    /// What a button makes of its form's target.
    fn button_target(&self, node: NodeId, form: &FormTarget) -> FormTarget {
        let mut target = form.clone();
        if let Some(action) = self.dom.attr(node, "formaction") {
            (target.action, target.url) = self.action(action);
        }
        if let Some(text) = self.dom.attr(node, "formmethod") {
            target.method = method(text);
        }
        if let Some(text) = self.dom.attr(node, "formenctype") {
            target.enctype = enctype(text);
        }
        target
    }
}

fn method(text: &str) -> Option<Method> {
    match text {
        _ if text.eq_ignore_ascii_case("post") => Some(Method::Post),
        _ if text.eq_ignore_ascii_case("dialog") => None,
        _ => Some(Method::Get),
    }
}

fn enctype(text: &str) -> Enctype {
    let all = [Enctype::Multipart, Enctype::Plain];
    all.into_iter().find(|kind| text.eq_ignore_ascii_case(kind.as_str())).unwrap_or_default()
}

/// "Picking an encoding for the form" (section 4.10.21.5).
fn charset(accepted: Option<&str>, document: &'static Encoding) -> &'static Encoding {
    let encoding = match accepted {
        Some(labels) => {
            let mut known = labels.split_ascii_whitespace().take(64);
            known.find_map(|label| Encoding::for_label(label.as_bytes())).unwrap_or(UTF_8)
        }
        None => document,
    };
    encoding.output_encoding()
}

/// Of several checked radio buttons of one name the last is the one (section 4.10.5.1.16).
fn settle_radios(form: &mut FormParts) {
    let mut taken = HashSet::new();
    for field in form.fields.iter_mut().rev() {
        if field.kind == FieldKind::Radio && field.chosen {
            field.chosen = taken.insert(field.name.clone());
        }
    }
}

/// One pass over the document that gives every control to its form.
struct Walk<'a> {
    source: Source<'a>,
    forms: &'a mut [FormParts],
    /// Places in `forms`.
    index: HashMap<NodeId, usize>,
    ids: HashMap<&'a str, NodeId>,
    owners: HashMap<NodeId, NodeId>,
    suggestions: Suggestions,
    /// The forms that are open, with the ends of their ranges.
    open: Vec<(u32, NodeId)>,
    /// From where to where controls are disabled or not: ends of ranges, innermost last.
    disabled: Vec<(u32, bool)>,
    /// First legends of disabled fieldsets, and whether controls in them are disabled.
    legends: HashMap<NodeId, bool>,
}

impl<'a> Walk<'a> {
    fn new(source: Source<'a>, forms: &'a mut [FormParts]) -> Self {
        let index = forms.iter().enumerate().map(|(at, form)| (form.node, at)).collect();
        Self {
            source,
            forms,
            index,
            ids: crate::view::by_id(source.dom),
            owners: source.dom.form_owners(),
            suggestions: Suggestions::default(),
            open: Vec::new(),
            disabled: Vec::new(),
            legends: HashMap::new(),
        }
    }

    fn run(&mut self) {
        let dom = self.source.dom;
        let mut skip = 0;
        for node in dom.descendants(dom.document()).filter(|node| dom.is_element(*node)) {
            while self.open.last().is_some_and(|(end, _)| node.0 >= *end) {
                self.open.pop();
            }
            while self.disabled.last().is_some_and(|(end, _)| node.0 >= *end) {
                self.disabled.pop();
            }
            if node.0 < skip {
                continue;
            }
            match dom.name(node) {
                "form" => self.open.push((dom.end(node), node)),
                "fieldset" if dom.attr(node, "disabled").is_some() => self.disable(node),
                "legend" => {
                    let around = self.legends.get(&node);
                    self.disabled.extend(around.map(|around| (dom.end(node), *around)));
                }
                // What is in a list of suggestions is not sent.
                "datalist" => skip = dom.end(node),
                "input" | "button" | "select" | "textarea" => self.control(node),
                _ => {}
            }
        }
    }

    /// Notes that controls are disabled from here on, but in its first legend, which is as
    /// enabled as what is around the fieldset (section 4.10.18.5).
    fn disable(&mut self, fieldset: NodeId) {
        let dom = self.source.dom;
        let around = self.disabled.last().is_some_and(|(_, disabled)| *disabled);
        if let Some(legend) = dom.children(fieldset).find(|n| dom.name(*n) == "legend") {
            self.legends.insert(legend, around);
        }
        self.disabled.push((dom.end(fieldset), true));
    }

    /// The form that a control belongs to (section 4.10.18.3).
    fn owner(&self, node: NodeId) -> Option<usize> {
        let form = match self.source.dom.attr(node, "form") {
            Some(id) => self.ids.get(id).copied(),
            None => {
                let nearest = || self.open.last().map(|(_, form)| *form);
                self.owners.get(&node).copied().or_else(nearest)
            }
        };
        self.index.get(&form?).copied()
    }

    fn control(&mut self, node: NodeId) {
        let dom = self.source.dom;
        let Some(form) = self.owner(node) else { return };
        let disabled = dom.attr(node, "disabled").is_some()
            || self.disabled.last().is_some_and(|(_, disabled)| *disabled);
        match Control::of(dom, node) {
            Control::Submit { is_image } => {
                let button = self.button(node, form, is_image, disabled);
                self.forms[form].buttons.push(button);
            }
            Control::Field(kind) => {
                if let Some(field) = self.field(node, kind, disabled) {
                    self.forms[form].fields.push(field);
                }
            }
            Control::Inert => {}
        }
    }

    fn button(&self, node: NodeId, form: usize, is_image: bool, disabled: bool) -> Button {
        let dom = self.source.dom;
        let text = |name| dom.attr(node, name).unwrap_or_default().to_owned();
        let label = if dom.name(node) == "button" {
            shown_up_to(dom, node, MAX_LABEL_BYTES)
        } else {
            prefix(
                dom.attr(node, if is_image { "alt" } else { "value" }).unwrap_or_default(),
                MAX_LABEL_BYTES,
            )
            .to_owned()
        };
        Button {
            node,
            name: text("name"),
            value: text("value"),
            id: text("id"),
            label,
            is_image,
            disabled,
            target: self.source.button_target(node, &self.forms[form].target),
        }
    }

    fn field(&mut self, node: NodeId, kind: FieldKind, disabled: bool) -> Option<Field> {
        let dom = self.source.dom;
        let name = dom.attr(node, "name").filter(|name| !name.is_empty())?.to_owned();
        let mut field = Field {
            node: Some(node),
            name,
            value: String::new(),
            kind,
            chosen: true,
            disabled,
            options: Vec::new(),
        };
        match kind {
            FieldKind::Checkbox | FieldKind::Radio => {
                field.value = dom.attr(node, "value").unwrap_or("on").to_owned();
                field.chosen = dom.attr(node, "checked").is_some();
            }
            FieldKind::Select | FieldKind::SelectMultiple => {
                field.options = options::of_select(dom, node, kind);
                let first = field.options.iter().find(|option| option.selected);
                field.value = first.map(|option| option.value.clone()).unwrap_or_default();
            }
            FieldKind::TextArea => {
                field.value = dom.text_content(node).replace("\r\n", "\n").replace('\r', "\n");
            }
            FieldKind::File => {}
            _ => field.value = value::of_input(dom, node, kind),
        }
        if let Some(list) = dom.attr(node, "list").filter(|_| !kind.is_choice())
            && let Some(list) = self.ids.get(list)
        {
            field.options = self.suggestions.of(dom, *list);
        }
        Some(field)
    }
}

/// What a control does.
enum Control {
    /// It sends the form.
    Submit { is_image: bool },
    /// It has a value.
    Field(FieldKind),
    /// Neither: it resets the form, or only scripts use it.
    Inert,
}

impl Control {
    fn of(dom: &Dom, node: NodeId) -> Self {
        let kind = dom.attr(node, "type").unwrap_or_default().to_ascii_lowercase();
        match dom.name(node) {
            "textarea" => Self::Field(FieldKind::TextArea),
            "select" if dom.attr(node, "multiple").is_some() => {
                Self::Field(FieldKind::SelectMultiple)
            }
            "select" => Self::Field(FieldKind::Select),
            "button" if matches!(&*kind, "button" | "reset") => Self::Inert,
            "button" => Self::Submit { is_image: false },
            _ => Self::of_input(&kind),
        }
    }

    fn of_input(kind: &str) -> Self {
        Self::Field(match kind {
            "submit" => return Self::Submit { is_image: false },
            "image" => return Self::Submit { is_image: true },
            "button" | "reset" => return Self::Inert,
            "hidden" => FieldKind::Hidden,
            "search" => FieldKind::Search,
            "tel" => FieldKind::Tel,
            "url" => FieldKind::Url,
            "email" => FieldKind::Email,
            "password" => FieldKind::Password,
            "date" => FieldKind::Date,
            "month" => FieldKind::Month,
            "week" => FieldKind::Week,
            "time" => FieldKind::Time,
            "datetime-local" => FieldKind::DateTimeLocal,
            "number" => FieldKind::Number,
            "range" => FieldKind::Range,
            "color" => FieldKind::Color,
            "checkbox" => FieldKind::Checkbox,
            "radio" => FieldKind::Radio,
            "file" => FieldKind::File,
            _ => FieldKind::Text,
        })
    }
}
