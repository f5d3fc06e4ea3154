//! XML documents as lists of nodes.

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Number, Value};

use super::own::Own;
use super::step::{Step, Taken};
use crate::{Expression, Harvest, Language, Node, Page, SpiderError, Texts, XPathValue};

type Each = Arc<dyn Fn(Node<'_>, &Page<'_>, &mut Harvest) -> Result<(), SpiderError> + Send + Sync>;

/// Goes over the elements of one name in XML documents, as Scrapy's `XMLFeedSpider` does: each is
/// an item, or is given to a function.
///
/// Prefixes in names and in XPath are those that the document declares; some usual ones (`dc`,
/// `media`, `g`, `atom` ..) are known in any case, and [`namespace`](Self::namespace) declares one
/// for the name of the elements whatever the document calls it.
///
/// ```
/// use crawl_spider::prelude::*;
/// use crawl_spider::ready::{Step, XmlNodes};
///
/// let products = XmlNodes::new("http://shop.test/products.xml", "product")
///     .field("name", "name")
///     .field("price", "number(g:price)")
///     .field("id", "@id")
///     .then(|_: &Page<'_>, _: &mut Harvest| Ok(()));
/// # let _ = products;
/// ```
#[derive(Clone)]
pub struct XmlNodes {
    own: Own,
    tag: String,
    namespaces: Vec<(String, String)>,
    fields: Vec<(String, String)>,
    each: Option<Each>,
}

impl XmlNodes {
    /// Begins with these documents, and goes over their elements of this name, with or without a
    /// prefix. Without any URL (`XmlNodes::seeds("item")`) the documents are what the crawl begins
    /// with.
    #[must_use]
    pub fn new(urls: impl Texts, tag: impl Into<String>) -> Self {
        let own = Own::new(urls.into_texts(), "xml");
        let (namespaces, fields) = (Vec::new(), Vec::new());
        Self { own, tag: tag.into(), namespaces, fields, each: None }
    }

    /// Goes over the elements of this name in the documents that the crawl begins with.
    #[must_use]
    pub fn seeds(tag: impl Into<String>) -> Self {
        Self::new(Vec::<String>::new(), tag)
    }

    /// Declares a prefix of the elements' name.
    #[must_use]
    pub fn namespace(mut self, prefix: impl Into<String>, uri: impl Into<String>) -> Self {
        self.namespaces.push((prefix.into(), uri.into()));
        self
    }

    /// Makes an item of each element, with this field: what an XPath expression gives there. Of
    /// nodes that is the text of the first one, null if there is none.
    #[must_use]
    pub fn field(mut self, name: impl Into<String>, xpath: impl Into<String>) -> Self {
        self.fields.push((name.into(), xpath.into()));
        self
    }

    /// Calls this for each element.
    #[must_use]
    pub fn each(
        mut self,
        read: impl Fn(Node<'_>, &Page<'_>, &mut Harvest) -> Result<(), SpiderError>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        self.each = Some(Arc::new(read));
        self
    }

    /// The XPath expression for the elements.
    fn expression(&self) -> String {
        let quoted = |text: &str| match text.contains('\'') {
            true => format!("\"{text}\""),
            false => format!("'{text}'"),
        };
        let Some((prefix, local)) = self.tag.split_once(':') else {
            return format!("//*[local-name() = {}]", quoted(&self.tag));
        };
        match self.namespaces.iter().find(|(known, _)| known == prefix) {
            Some((_, uri)) => {
                let (local, uri) = (quoted(local), quoted(uri));
                format!("//*[local-name() = {local} and namespace-uri() = {uri}]")
            }
            None => format!("//{}", self.tag),
        }
    }

    fn item(&self, node: Node<'_>) -> Result<Map<String, Value>, SpiderError> {
        let mut item = Map::new();
        for (name, xpath) in &self.fields {
            let value = match node.evaluate(xpath)? {
                XPathValue::Nodes(nodes) => nodes.first().map(|node| Value::from(node.text())),
                XPathValue::Number(number) => Number::from_f64(number).map(Value::Number),
                XPathValue::Text(text) => Some(Value::from(text)),
                XPathValue::Bool(flag) => Some(Value::from(flag)),
            };
            item.insert(name.clone(), value.unwrap_or_default());
        }
        Ok(item)
    }
}

impl Step for XmlNodes {
    fn start(&self, out: &mut Harvest) -> Result<(), SpiderError> {
        if self.fields.is_empty() && self.each.is_none() {
            let what = format!(
                "nothing is taken from the `{}` elements of the XML; hint: name a field, or a \
                 function for each",
                self.tag
            );
            return Err(SpiderError::Other(what));
        }
        self.own.start(out)
    }

    fn read(&self, page: &Page<'_>, out: &mut Harvest) -> Result<Taken, SpiderError> {
        if !self.own.has(page) {
            return Ok(Taken::NotMine);
        }
        let nodes = page.xpath(&self.expression())?;
        if nodes.is_empty() {
            out.warn(format!("this has no `{}` elements", self.tag));
        }
        for node in nodes {
            if !self.fields.is_empty() {
                out.item(&self.item(node)?)?;
            }
            if let Some(each) = &self.each {
                each(node, page, out)?;
            }
        }
        Ok(Taken::Mine)
    }

    fn expressions(&self) -> Vec<Expression> {
        let xpath = |text: &str, place: String| Expression::new(Language::XPath, text, place);
        let tag = [xpath(&self.expression(), "xml, the name of the elements".to_owned())];
        let fields = self.fields.iter();
        tag.into_iter()
            .chain(fields.map(|(name, text)| xpath(text, format!("xml, field `{name}`"))))
            .collect()
    }
}

impl fmt::Debug for XmlNodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("XmlNodes")
            .field("own", &self.own)
            .field("tag", &self.tag)
            .field("fields", &self.fields)
            .finish_non_exhaustive()
    }
}
