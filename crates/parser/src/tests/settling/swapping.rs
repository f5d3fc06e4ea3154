//! Another spider in the middle of a crawl.

use crawl_spider::{FieldQuery, ItemQuery};

use super::*;

/// Takes the attribute of its name from `p`, through what it wants.
struct Named(&'static str, ItemQuery);

impl Named {
    fn new(name: &'static str) -> Arc<Self> {
        Arc::new(Self(name, ItemQuery::page().field(FieldQuery::attr("p", name))))
    }
}

impl Spider for Named {
    fn wants(&self) -> Vec<ItemQuery> {
        assert!(self.0 != "bad", "cannot want");
        vec![self.1.clone()]
    }

    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        if page.url().path() == "/slow" {
            std::thread::sleep(Duration::from_millis(300));
        }
        page.rows(&self.1)?.iter().try_for_each(|row| out.item(&row.first(0)?))
    }
}

#[test]
fn another_spider_reads_what_comes_and_the_old_one_finishes_what_it_has_in_hand() {
    let known = Arc::new(Known(Fingerprinter::new([1; 16]), Vec::new()));
    let parser = Parser::new(ParseConfig::default(), 3, Named::new("old"), known);
    let parser = Arc::new(parser.with_log(Arc::new(Lines::default())));
    let read = |path: &str, parser: &Parser| {
        let page = fetched(get(&format!("http://h{path}")), Ok(html("<p old=1 new=2>")));
        parser.parse(page).items.kept[0].json.to_string()
    };
    let slow = std::thread::spawn({
        let parser = parser.clone();
        move || read("/slow", &parser)
    });
    std::thread::sleep(Duration::from_millis(100));
    let error = parser.replace_spider(Named::new("bad")).unwrap_err();
    assert!(error.to_string().contains("cannot want"), "{error}");
    assert_eq!(read("/1", &parser), r#""1""#);
    parser.replace_spider(Named::new("new")).unwrap();
    assert_eq!(read("/2", &parser), r#""2""#);
    assert_eq!(slow.join().unwrap(), r#""1""#);
}
