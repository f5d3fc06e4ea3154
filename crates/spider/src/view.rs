//! What a page and its elements give besides selections: forms, metadata, structured data,
//! tables, Markdown, main text, and the way from one element to another.

use crate::{
    Article, Form, MetaMap, Metadata, Node, Page, PageServices, SpiderError, Step, StructuredData,
    Table, Value,
};

impl<'a> Page<'a> {
    /// The page's forms, in document order, filled in as a browser would show them.
    #[must_use]
    pub fn forms(&self) -> Vec<Form<'a>> {
        let services = self.services();
        services.forms().iter().map(|parts| Form::new(services, parts.clone())).collect()
    }

    /// The form that a CSS selector finds: the first match that is a form, or stands in one.
    ///
    /// # Errors
    /// [`SpiderError::Selector`] if the selector does not parse.
    pub fn form(&self, selector: &str) -> Result<Option<Form<'a>>, SpiderError> {
        Ok(self.css(selector)?.iter().find_map(|node| node.form()))
    }

    /// What the document says about itself: title, description, canonical URL, OpenGraph ..
    #[must_use]
    pub fn metadata(&self) -> &'a Metadata {
        self.services().metadata()
    }

    /// All `meta` elements with a name but OpenGraph's and Twitter's, by name in lower case.
    #[must_use]
    pub fn meta_tags(&self) -> &'a MetaMap {
        &self.metadata().other
    }

    /// What the document says in machine-readable ways: JSON-LD, microdata, RDFa, OpenGraph.
    #[must_use]
    pub fn structured(&self) -> &'a StructuredData {
        self.services().structured()
    }

    /// The page's JSON-LD scripts, each as it is. Those that are no JSON are left out
    /// ([`StructuredData::json_ld_invalid`] counts them).
    #[must_use]
    pub fn json_ld(&self) -> &'a [Value] {
        &self.structured().json_ld
    }

    /// The page's top-level microdata items, in the JSON form of the HTML Standard.
    #[must_use]
    pub fn microdata(&self) -> &'a [Value] {
        &self.structured().microdata
    }

    /// The page's top-level RDFa items, in the same form, names and types as whole IRIs.
    #[must_use]
    pub fn rdfa(&self) -> &'a [Value] {
        &self.structured().rdfa
    }

    /// The tables that a CSS selector finds, in document order; what is no table is passed over.
    ///
    /// # Errors
    /// [`SpiderError::Selector`] if the selector does not parse.
    pub fn tables(&self, selector: &str) -> Result<Vec<Table>, SpiderError> {
        Ok(self.css(selector)?.iter().filter_map(|node| node.table()).collect())
    }

    /// The page's body as Markdown (CommonMark with GitHub's tables and strikethrough), links
    /// and images absolute.
    #[must_use]
    pub fn markdown(&self) -> String {
        self.services().markdown(None)
    }

    /// The page's main text, without navigation, advertisements and the like; `None` if none is
    /// found.
    ///
    /// It is guessed (the algorithm of Firefox's reader view) and costs some twenty times what a
    /// selector does, so a page of more than 4 MiB of HTML or 100,000 elements is not tried, nor is one
    /// that nests as no honest page does.
    #[must_use]
    pub fn main_text(&self) -> Option<&'a Article> {
        self.services().article()
    }

    /// Resolves a reference against the document's base URL; another name of
    /// [`join`](Self::join).
    ///
    /// # Errors
    /// As for [`join`](Self::join).
    pub fn urljoin(&self, href: &str) -> Result<crate::CanonicalUrl, SpiderError> {
        self.join(href)
    }
}

impl<'a> Node<'a> {
    /// The form that it is, belongs to or stands in; `None` if there is none.
    #[must_use]
    pub fn form(&self) -> Option<Form<'a>> {
        let forms = self.services().forms();
        // A control need not stand inside the form that it belongs to.
        let own = || forms.iter().find(|parts| parts.has(self.id()));
        let around = || {
            let form = self.ancestors().find(|node| node.tag() == "form")?;
            forms.iter().find(|parts| parts.node == form.id())
        };
        let parts = own().or_else(around)?;
        Some(Form::new(self.services(), parts.clone()))
    }

    /// Its rows, if it is a `table` element.
    #[must_use]
    pub fn table(&self) -> Option<Table> {
        self.services().table(self.id())
    }

    /// As Markdown, links and images absolute.
    #[must_use]
    pub fn markdown(&self) -> String {
        self.services().markdown(Some(self.id()))
    }

    /// The names and values of its attributes, in the order of the document.
    #[must_use]
    pub fn attrs(&self) -> Vec<(&'a str, &'a str)> {
        self.services().attrs(self.id())
    }

    /// The element that holds it; `None` for the outermost one.
    #[must_use]
    pub fn parent(&self) -> Option<Node<'a>> {
        self.step(Step::Parent)
    }

    /// The elements that hold it, from its parent outwards.
    pub fn ancestors(&self) -> impl Iterator<Item = Node<'a>> + use<'a> {
        std::iter::successors(self.parent(), Node::parent)
    }

    /// The elements in it (not those in these), in document order.
    pub fn children(&self) -> impl Iterator<Item = Node<'a>> + use<'a> {
        std::iter::successors(self.step(Step::FirstChild), Node::next)
    }

    /// The next element behind it, in the same parent.
    #[must_use]
    pub fn next(&self) -> Option<Node<'a>> {
        self.step(Step::Next)
    }

    /// The next element before it, in the same parent.
    #[must_use]
    pub fn prev(&self) -> Option<Node<'a>> {
        self.step(Step::Prev)
    }

    /// The elements behind it, in the same parent, in document order.
    pub fn next_all(&self) -> impl Iterator<Item = Node<'a>> + use<'a> {
        std::iter::successors(self.next(), Node::next)
    }

    fn step(&self, step: Step) -> Option<Node<'a>> {
        let services: &'a dyn PageServices = self.services();
        services.step(self.id(), step).map(|id| Node::new(services, id))
    }
}
