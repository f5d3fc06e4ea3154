//! Forms: what a browser would send, to be changed and sent as a request.
//!
//! The host reads the form out of the page ([`FormParts`]: plain data, values as the browser
//! would start with); filling in and sending need no parser and live here.

mod fill;
pub(crate) mod send;

use crawl_model::{CanonicalUrl, Method, UrlError};

use crate::{NodeId, PageServices};

/// A form of a page, to be filled in and submitted.
///
/// ```
/// # use crawl_spider::{Harvest, Page, SpiderError};
/// # fn callback(page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
/// if let Some(mut form) = page.form("form.search")? {
///     form.set("q", "tea")?.set("sort", "price")?;
///     out.request(form.submit()?).label("results");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Form<'a> {
    services: &'a dyn PageServices,
    parts: FormParts,
}

/// What a form is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct FormParts {
    /// The `form` element.
    pub node: NodeId,
    /// Its `id`; empty if it has none.
    pub id: String,
    /// Its `name`; empty if it has none.
    pub name: String,
    /// Where and how it is sent when no button says otherwise.
    pub target: FormTarget,
    /// Name of the character encoding it is sent in, as the Encoding Standard writes it: that of
    /// the form's `accept-charset`, or the document's.
    pub charset: String,
    /// Its controls with a name, buttons left out, in document order.
    pub fields: Vec<Field>,
    /// The buttons that send it, in document order.
    pub buttons: Vec<Button>,
}

/// Where and how a form is sent.
#[derive(Debug, Clone, PartialEq)]
pub struct FormTarget {
    /// The address as it stands in the document; empty for the document's own.
    pub action: String,
    /// The address resolved, without fragment; an error if it is nothing that is crawled.
    pub url: Result<CanonicalUrl, UrlError>,
    /// What is sent; `None` for `dialog`, which sends nothing.
    pub method: Option<Method>,
    /// How a POST's body is written.
    pub enctype: Enctype,
}

/// How the body of a form that is posted is written (HTML Standard, section 4.10.19.6).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Enctype {
    /// `application/x-www-form-urlencoded`.
    #[default]
    UrlEncoded,
    /// `multipart/form-data`.
    Multipart,
    /// `text/plain`.
    Plain,
}

impl Enctype {
    /// The media type.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UrlEncoded => "application/x-www-form-urlencoded",
            Self::Multipart => "multipart/form-data",
            Self::Plain => "text/plain",
        }
    }
}

/// A control with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its element; `None` if it was added.
    pub node: Option<NodeId>,
    /// Its name.
    pub name: String,
    /// Its value: what is sent, if it is [`chosen`](Self::chosen). Of a select that of the first
    /// selected option, or empty.
    pub value: String,
    /// What it is.
    pub kind: FieldKind,
    /// Whether it is sent: of a check box or radio button whether it is checked, else true.
    pub chosen: bool,
    /// Whether it is disabled, and so not sent.
    pub disabled: bool,
    /// The options of a select; the suggestions of an input with a `list`.
    pub options: Vec<FieldOption>,
}

/// One option of a select, or one suggestion of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldOption {
    /// What is sent.
    pub value: String,
    /// What is shown.
    pub label: String,
    /// Whether it is selected.
    pub selected: bool,
    /// Whether it is disabled, and so not sent.
    pub disabled: bool,
}

/// What a control is (HTML Standard, section 4.10.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FieldKind {
    /// `input type=hidden`.
    Hidden,
    /// `input type=text`, and of unknown types.
    Text,
    /// `input type=search`.
    Search,
    /// `input type=tel`.
    Tel,
    /// `input type=url`.
    Url,
    /// `input type=email`.
    Email,
    /// `input type=password`.
    Password,
    /// `input type=date`.
    Date,
    /// `input type=month`.
    Month,
    /// `input type=week`.
    Week,
    /// `input type=time`.
    Time,
    /// `input type=datetime-local`.
    DateTimeLocal,
    /// `input type=number`.
    Number,
    /// `input type=range`.
    Range,
    /// `input type=color`.
    Color,
    /// `input type=checkbox`.
    Checkbox,
    /// `input type=radio`.
    Radio,
    /// `input type=file`.
    File,
    /// `textarea`.
    TextArea,
    /// `select` of which one option is sent.
    Select,
    /// `select multiple`.
    SelectMultiple,
}

impl FieldKind {
    /// Whether it offers values to choose from instead of taking any.
    #[must_use]
    pub fn is_choice(self) -> bool {
        matches!(self, Self::Checkbox | Self::Radio | Self::Select | Self::SelectMultiple)
    }
}

/// A button that sends the form.
#[derive(Debug, Clone, PartialEq)]
pub struct Button {
    /// Its element.
    pub node: NodeId,
    /// Its name; empty if it has none, and then it sends nothing of its own.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Its `id`; empty if it has none.
    pub id: String,
    /// What is written on it.
    pub label: String,
    /// Whether it is an image, which sends the coordinates of the click.
    pub is_image: bool,
    /// Whether it is disabled.
    pub disabled: bool,
    /// Where and how it sends the form.
    pub target: FormTarget,
}

impl<'a> Form<'a> {
    /// Puts a form together; for hosts.
    #[must_use]
    pub fn new(services: &'a dyn PageServices, parts: FormParts) -> Self {
        Self { services, parts }
    }

    /// What it is made of.
    #[must_use]
    pub fn parts(&self) -> &FormParts {
        &self.parts
    }

    /// Where it is sent; an error if that is nothing that is crawled.
    ///
    /// # Errors
    /// [`FormError::Action`].
    pub fn action(&self) -> Result<&CanonicalUrl, FormError> {
        self.parts.target.checked()
    }

    /// Its controls with a name, buttons left out, in document order.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.parts.fields
    }

    /// The first control of that name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.parts.fields.iter().find(|field| field.name == name)
    }

    /// What would be sent for a name; the first if there are several, `None` if there is nothing.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<String> {
        self.entries().into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// The buttons that send it, in document order.
    #[must_use]
    pub fn buttons(&self) -> &[Button] {
        &self.parts.buttons
    }
}

impl FormParts {
    /// Whether it is this element, or has it as a control.
    pub(crate) fn has(&self, node: NodeId) -> bool {
        self.node == node
            || self.fields.iter().any(|field| field.node == Some(node))
            || self.buttons.iter().any(|button| button.node == node)
    }
}

impl std::fmt::Debug for Form<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Form").field(&self.parts).finish()
    }
}

impl FormTarget {
    fn checked(&self) -> Result<&CanonicalUrl, FormError> {
        self.url.as_ref().map_err(|source| FormError::Action {
            action: self.action.chars().take(200).collect(),
            source: source.clone(),
        })
    }
}

/// Why a form cannot be filled in or sent as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormError {
    /// It has no such field.
    #[error("the form has no field `{name}`{hint}; `force` adds one")]
    UnknownField {
        /// The name asked for.
        name: String,
        /// The closest name and those there are.
        hint: String,
    },
    /// It has no such button.
    #[error("the form has no button `{name}`{hint}")]
    UnknownButton {
        /// The name asked for.
        name: String,
        /// The closest name and those there are.
        hint: String,
    },
    /// The value is not among those that can be chosen.
    #[error("`{value}` is not an option of `{name}`{hint}; `force` sends it all the same")]
    NotAnOption {
        /// The field.
        name: String,
        /// The value asked for.
        value: String,
        /// The closest option and those there are.
        hint: String,
    },
    /// The field or button is disabled.
    #[error("`{name}` is disabled in the form; `force` sends a field all the same")]
    Disabled {
        /// The field or button.
        name: String,
    },
    /// Files are not uploaded.
    #[error("`{name}` takes a file, and files are not uploaded")]
    File {
        /// The field.
        name: String,
    },
    /// It is no check box.
    #[error("`{name}` is no check box; use `set`")]
    NotACheckbox {
        /// The field.
        name: String,
    },
    /// The form sends nothing: its method is `dialog`.
    #[error("the form has the method `dialog`, which sends nothing")]
    Dialog,
    /// Where it is sent is nothing that is crawled.
    #[error("the form is sent to `{action}`")]
    Action {
        /// As it stands in the document, shortened to 200 characters.
        action: String,
        /// Why not.
        source: UrlError,
    },
}
