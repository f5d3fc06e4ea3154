//! On any page, an item's rows say the same as its nodes, and the stream the same as the tree.

use crawl_spider::prelude::*;
use crawl_spider::{ItemQuery, json};
use proptest::prelude::*;

use crate::page_from_html;
use crate::tests::streaming::laws::sloppy;

/// Two items with the same fields; the second has one more, which only the tree can find.
macro_rules! twins {
    ($(#[$item:meta])* { $($(#[$field:meta])* $name:ident: $type:ty,)* }) => {
        #[derive(Debug, Item)]
        $(#[$item])*
        struct ByRows { $($(#[$field])* $name: $type,)* }

        #[derive(Debug, Item)]
        $(#[$item])*
        struct ByNodes {
            $($(#[$field])* $name: $type,)*
            #[item(xpath = "./no-such-element")]
            nothing: Option<String>,
        }

        fn by_rows(page: &Page<'_>) -> Vec<Value> {
            let items = ByRows::each(page).unwrap();
            let fields = items.iter().map(|item| match item {
                Ok(item) => json!([$(&item.$name),*]),
                Err(error) => json!(error.to_string()),
            });
            fields.collect()
        }

        fn by_nodes(page: &Page<'_>) -> Vec<Value> {
            let items = ByNodes::each(page).unwrap();
            let fields = items.iter().map(|item| match item {
                Ok(item) => {
                    assert!(item.nothing.is_none());
                    json!([$(&item.$name),*])
                }
                Err(error) => json!(error.to_string().replace("ByNodes", "ByRows")),
            });
            fields.collect()
        }
    };
}

twins! {
    #[item(select = "div, p.a, li")]
    {
        #[item(text)]
        own: String,
        #[item(attr = "class", lower)]
        class: Option<String>,
        #[item(css = "span, b", default)]
        first: String,
        #[item(css = ":scope > a", attr = "t", exists)]
        has_link: bool,
        #[item(css = "a::attr(t)", join = "+")]
        joined: Option<String>,
        #[item(css = "i.b + *, h2", take = last, upper)]
        last: Option<String>,
        #[item(css = "[class~=c]")]
        all: Vec<String>,
        #[item(css = "p, td", regex = "x(.*)", split = "&")]
        pieces: Vec<String>,
    }
}

struct Wants;

impl Spider for Wants {
    fn wants(&self) -> Vec<ItemQuery> {
        vec![ByRows::query()]
    }

    fn parse(&self, _: &Page<'_>, _: &mut Harvest) -> Result<(), SpiderError> {
        Ok(())
    }
}

proptest! {
    #[test]
    fn rows_nodes_and_stream_agree(body in sloppy(), doctype in any::<bool>()) {
        let html = format!("{}{body}", if doctype { "<!DOCTYPE html>" } else { "" });
        let plain = page_from_html("http://h/", &html).unwrap();
        let streamed = page_from_html("http://h/", &html).unwrap().with_spider(&Wants);
        let (rows, nodes) = (by_rows(&plain.page()), by_nodes(&plain.page()));
        prop_assert_eq!(&by_rows(&streamed.page()), &rows, "{}", html);
        prop_assert_eq!(&nodes, &rows, "{}", html);
    }
}
