//! Who reads the page, and what of it.

use std::cell::{Cell, RefCell};

use bytes::Bytes;
use crawl_model::{CanonicalUrl, Fingerprinter, Request, Response};
use crawl_parser::{ConfigSpider, FieldConfig, ItemConfig, SpiderConfig, TestPage};
use crawl_spider::{Harvest, LinkExtractor, Page, Rule, Rules, Spider, SpiderError};
use lol_html::{HtmlRewriter, Settings, element, text};
use scraper::{Html, Selector};

use crate::page::{CARDS, LINKS};

const URL: &str = "http://shop.test/catalogue/index.html";

/// Five selectors of different kinds.
const FIVE: [&str; 5] = [
    "article.product_pod",
    "h3 > a[title]",
    "p.price_color",
    "ul.pager li:last-child a",
    "nav .categories a",
];

/// The page in the forms that the contenders want, and what they need besides.
pub(crate) struct Contenders<'a> {
    html: &'a str,
    request: Request,
    response: Response,
    prints: Fingerprinter,
    links: ConfigSpider,
    cards: ConfigSpider,
    selectors: Vec<Selector>,
    by_url: Ruled,
    by_css: Ruled,
    /// What both rules want is found already.
    read: TestPage,
}

/// A spider that only follows rules.
struct Ruled(Rules);

impl Spider for Ruled {
    fn rules(&self) -> Rules {
        self.0.clone()
    }

    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        self.0.follow(page, out).map(drop)
    }
}

type Work<'a> = Box<dyn Fn() -> usize + 'a>;

impl<'a> Contenders<'a> {
    pub(crate) fn new(html: &'a str) -> Self {
        let url = CanonicalUrl::parse(URL).expect("a URL");
        let body = Bytes::copy_from_slice(html.as_bytes());
        let content_type = ("content-type".into(), Bytes::from_static(b"text/html; charset=utf-8"));
        let response = Response {
            status: 200,
            version: "HTTP/1.1",
            headers: vec![content_type],
            body,
            truncated: None,
            remote: None,
        };
        let by_url = Ruled(Rules::from([
            Rule::new(
                LinkExtractor::new().allow("/catalogue/the-long-way").allow_domains("shop.test"),
            )
            .label("book"),
            Rule::url(r"page-\d+\.html$"),
        ]));
        let by_css = Ruled(Rules::from([
            Rule::css("article.product_pod h3").label("book"),
            Rule::css("ul.pager"),
        ]));
        let request = Request::get(url);
        let read = TestPage::new(request.clone(), response.clone()).with_spider(&by_css);
        Self {
            html,
            by_url,
            by_css,
            read,
            request,
            response,
            prints: Fingerprinter::new([7; 16]),
            links: ConfigSpider::new(SpiderConfig { follow: Some(Vec::new()), ..Default::default() })
                .expect("a spider"),
            cards: ConfigSpider::new(cards()).expect("a spider"),
            selectors: FIVE.map(|css| Selector::parse(css).expect("a selector")).into(),
        }
    }

    /// All by name, ours beside who does the same.
    pub(crate) fn all(&'a self) -> Vec<(&'static str, Work<'a>)> {
        vec![
            ("ours: links", Box::new(|| self.ours(&self.links).0)),
            ("lol_html: links", Box::new(|| self.lol_links())),
            ("ours: links and rules by URL", Box::new(|| self.ours(&self.by_url).0)),
            ("ours: links and rules by CSS", Box::new(|| self.ours(&self.by_css).0)),
            ("rules by URL alone", Box::new(|| self.rules(&self.by_url))),
            ("rules by CSS alone", Box::new(|| self.rules(&self.by_css))),
            ("ours: links and cards", Box::new(|| self.ours(&self.cards).1)),
            ("lol_html: links and cards", Box::new(|| self.lol_cards().1)),
            ("ours: tree and five selectors", Box::new(|| self.our_tree())),
            ("scraper: tree and five selectors", Box::new(|| self.scrapers_tree())),
            ("url: 81 times Url::join", Box::new(|| self.url_join())),
        ]
    }

    /// Checks that all find the same before anybody is timed.
    pub(crate) fn agree(&self) {
        assert_eq!(self.ours(&self.cards), (LINKS, CARDS));
        assert_eq!((self.lol_links(), self.lol_cards()), (LINKS, (LINKS, CARDS)));
        assert_eq!(self.our_tree(), self.scrapers_tree());
        assert_eq!(self.url_join(), LINKS);
        let n_pages = LINKS - 40 - 2 * CARDS;
        assert_eq!(self.rules(&self.by_url), 2 * CARDS + n_pages);
        assert_eq!(self.rules(&self.by_css), CARDS + n_pages);
    }

    /// Decoding, links, title, URLs resolved and fingerprinted, and the items of a declarative
    /// spider. Gives the numbers of links and items.
    fn ours(&self, spider: &impl Spider) -> (usize, usize) {
        let page = self.page(spider);
        let page = page.page();
        let mut harvest = Harvest::new();
        spider.parse(&page, &mut harvest).expect("the spider works");
        let links = page.links();
        let prints = links.iter().fold(0, |sum, link| sum ^ self.prints.get(&link.url).0);
        assert!(prints != 0 && !page.title().is_empty());
        (links.len(), harvest.into_parts().items.len())
    }

    /// What rules cost on a page that is read. Gives the number of requests.
    fn rules(&self, spider: &Ruled) -> usize {
        let mut harvest = Harvest::new();
        spider.parse(&self.read.page(), &mut harvest).expect("the rules are right");
        harvest.follows().len()
    }

    fn page(&self, spider: &impl Spider) -> TestPage {
        TestPage::new(self.request.clone(), self.response.clone()).with_spider(spider)
    }

    fn our_tree(&self) -> usize {
        let page = TestPage::new(self.request.clone(), self.response.clone());
        FIVE.iter().map(|css| page.page().css(css).expect("a selector").len()).sum()
    }

    fn scrapers_tree(&self) -> usize {
        let html = Html::parse_document(self.html);
        self.selectors.iter().map(|selector| html.select(selector).count()).sum()
    }

    fn lol_links(&self) -> usize {
        let links = RefCell::new(Vec::new());
        let settings = Settings::new().append_element_content_handler(element!("a[href]", |a| {
            links.borrow_mut().extend(a.get_attribute("href"));
            Ok(())
        }));
        let mut rewriter = HtmlRewriter::new(settings, |_: &[u8]| {});
        rewriter.write(self.html.as_bytes()).expect("it reads");
        rewriter.end().expect("it ends");
        links.into_inner().len()
    }

    fn lol_cards(&self) -> (usize, usize) {
        let links = RefCell::new(Vec::new());
        let cards = RefCell::new(Vec::<[String; 4]>::new());
        let add = |at: usize, piece: &str| {
            if let Some(card) = cards.borrow_mut().last_mut() {
                card[at].push_str(piece);
            }
        };
        let handlers = vec![
            element!("a[href]", |a| {
                links.borrow_mut().extend(a.get_attribute("href"));
                Ok(())
            }),
            element!("article.product_pod", |_| {
                cards.borrow_mut().push(Default::default());
                Ok(())
            }),
            element!("article.product_pod h3 a", |a| {
                add(0, &a.get_attribute("title").unwrap_or_default());
                add(3, &a.get_attribute("href").unwrap_or_default());
                Ok(())
            }),
            text!("article.product_pod p.price_color", |t| {
                add(1, t.as_str());
                Ok(())
            }),
            text!("article.product_pod p.availability", |t| {
                add(2, t.as_str());
                Ok(())
            }),
        ];
        let settings = handlers.into_iter().fold(Settings::new(), |settings, handler| {
            settings.append_element_content_handler(handler)
        });
        let mut rewriter = HtmlRewriter::new(settings, |_: &[u8]| {});
        rewriter.write(self.html.as_bytes()).expect("it reads");
        rewriter.end().expect("it ends");
        (links.borrow().len(), cards.borrow().len())
    }

    fn url_join(&self) -> usize {
        thread_local! {
            static HREFS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
        }
        HREFS.with_borrow_mut(|hrefs| {
            if hrefs.is_empty() {
                let selector = Selector::parse("a[href]").expect("a selector");
                let html = Html::parse_document(self.html);
                let found = html.select(&selector).filter_map(|a| a.attr("href"));
                hrefs.extend(found.map(str::to_owned));
            }
            let base = url::Url::parse(URL).expect("a URL");
            let n = Cell::new(0);
            hrefs.iter().filter_map(|href| base.join(href).ok()).for_each(|_| n.set(n.get() + 1));
            n.get()
        })
    }
}

/// The spider that a user would write for the cards.
fn cards() -> SpiderConfig {
    let field = |text: &str| FieldConfig::Short(text.to_owned());
    let fields = [
        ("title", "h3 a @title"),
        ("price", "p.price_color"),
        ("stock", "p.availability"),
        ("link", "h3 a @href"),
    ];
    let item = ItemConfig {
        select: Some("article.product_pod".to_owned()),
        fields: fields.map(|(name, css)| (name.to_owned(), field(css))).into_iter().collect(),
        ..ItemConfig::default()
    };
    SpiderConfig { follow: Some(Vec::new()), items: vec![item], ..SpiderConfig::default() }
}
