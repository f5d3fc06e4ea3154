//! A guest that asks nonsense, of which the host must make an answer or a refusal.

use crawl_parser::page_from_html;
use crawl_spider::abi::layout::{NO_ATTRIBUTE, NO_MATCH, ROWS_AT_ONCE, Sink, UNKNOWN};
use crawl_spider::{FieldQuery, Page};

use super::*;

extern "C" fn append(to: *mut c_void, slice: Slice) {
    // SAFETY: the vector of `ask`, and bytes that the host keeps until this returns.
    unsafe { (*to.cast::<Vec<u8>>()).extend_from_slice(bytes(&slice)) }
}

/// What is answered, and what is put; `None` if the question is refused.
fn ask(
    host: &Host<'_>,
    service: Service,
    numbers: [u64; 2],
    more: &[u8],
) -> Option<(Answer, Vec<u8>)> {
    let mut put = Vec::new();
    let ask = Ask {
        service: service as u32,
        node: NO_NODE,
        numbers: [numbers[0], numbers[1], 0, 0],
        text: Slice::EMPTY,
        more: Slice::of(more),
        answer: Sink { put: append, to: (&raw mut put).cast() },
    };
    let answer = host.answer(&ask).ok()?;
    Some((answer, put))
}

/// The values of a batch: a text, or the place that stands for none.
fn firsts(host: &Host<'_>, query: u64, batch: u64) -> Option<Vec<Result<String, usize>>> {
    let (answer, _) = ask(host, Service::Firsts, [query, batch], &[])?;
    let Slice { first, len } = answer.slice;
    // SAFETY: the host lends a table of slices, each of a text or of none.
    let table = unsafe { std::slice::from_raw_parts(first.cast::<Slice>(), len) };
    let value = |slice: &Slice| match slice.first.is_null() {
        true => Err(slice.len),
        // SAFETY: likewise.
        false => Ok(String::from_utf8(unsafe { bytes(slice) }.to_vec()).unwrap()),
    };
    Some(table.iter().map(value).collect())
}

fn on(html: &str, test: impl FnOnce(&Host<'_>)) {
    let page = page_from_html("http://h/", html).unwrap();
    let page: Page<'_> = page.page();
    test(&Host::new(page.services(), &[]));
}

/// Asks for rows: the number of the query and the nodes.
fn select(host: &Host<'_>, query: &ItemQuery) -> Option<(u64, Option<Vec<NodeId>>)> {
    let (answer, put) = ask(host, Service::Selected, [0, 0], &frame(query))?;
    let nodes = Reader::new(&put).whole();
    (answer.kind == BORROWED).then(|| (answer.number, nodes.unwrap()))
}

#[test]
fn rows_are_answered_by_number_a_batch_at_a_time() {
    let html = "<p class=a>x<b>y</b></p><p>z</p>".repeat(20);
    on(&html, |host| {
        let query = ItemQuery::each("p")
            .field(FieldQuery::text(""))
            .field(FieldQuery::attr("", "class"))
            .field(FieldQuery::attr("b", "class"))
            .field(FieldQuery::text("b").all())
            .field(FieldQuery::html("b"))
            .field(FieldQuery::text("b["));
        let (number, nodes) = select(host, &query).unwrap();
        assert_eq!((number, nodes.unwrap().len()), (0, 40));
        let batch = firsts(host, 0, 0).unwrap();
        assert_eq!(batch.len(), 6 * ROWS_AT_ONCE);
        let [none, bare, unknown] = [NO_MATCH, NO_ATTRIBUTE, UNKNOWN].map(|slice| Err(slice.len));
        let text = |text: &str| Ok(text.to_owned());
        let rest = [unknown.clone(), unknown.clone(), unknown];
        assert_eq!(batch[..3], [text("xy"), text("a"), bare.clone()]);
        assert_eq!(batch[3..6], rest);
        assert_eq!(batch[6..9], [text("z"), bare, none]);
        assert_eq!(firsts(host, 0, 1).unwrap().len(), 6 * 8);
        assert_eq!(select(host, &query).unwrap().0, 0, "asked again, it is the same");
        let page = ItemQuery::page().field(FieldQuery::text("b")).field(FieldQuery::text(""));
        assert_eq!(select(host, &page), Some((1, None)));
        assert_eq!(firsts(host, 1, 0).unwrap(), [text("y"), Err(NO_MATCH.len)]);
    });
}

#[test]
fn numbers_that_there_are_not_are_refused() {
    on("<p>x", |host| {
        assert!(firsts(host, 0, 0).is_none(), "nothing was selected");
        select(host, &ItemQuery::each("p").field(FieldQuery::text(""))).unwrap();
        select(host, &ItemQuery::each("i").field(FieldQuery::text(""))).unwrap();
        assert_eq!(firsts(host, 0, 0).unwrap().len(), 1);
        for (query, batch) in [(0, 1), (0, u64::MAX), (1, 0), (2, 0), (u64::MAX, 0)] {
            assert!(firsts(host, query, batch).is_none(), "{query} {batch}");
        }
    });
}

#[test]
fn queries_that_are_none_are_refused_and_wrong_selectors_fail() {
    on("<p>x", |host| {
        let query = frame(&ItemQuery::each("p").field(FieldQuery::text("")));
        for end in 0..query.len() {
            assert!(ask(host, Service::Selected, [0, 0], &query[..end]).is_none(), "{end}");
        }
        let longer = [&query[..], b"x"].concat();
        assert!(ask(host, Service::Selected, [0, 0], &longer).is_none());
        let wrong = frame(&ItemQuery::each("p["));
        let (answer, put) = ask(host, Service::Selected, [0, 0], &wrong).unwrap();
        assert_eq!(answer.kind, FAILED);
        assert!(Reader::new(&put).whole::<SelectorError>().is_ok());
        assert!(firsts(host, 0, 0).is_none(), "it has no number");
    });
}

#[test]
fn queries_and_the_bytes_of_their_texts_are_bounded() {
    let html = "<div>".repeat(30) + &"x".repeat(40_000) + "<b>y</b>" + &"</div>".repeat(30);
    on(&html, |host| {
        let query = |n| ItemQuery::each("div").field(FieldQuery::text(format!(":scope, .c{n}")));
        let own = ItemQuery::each("div").field(FieldQuery::text(""));
        select(host, &own).unwrap();
        let values = firsts(host, 0, 0).unwrap();
        let n_texts = values.iter().filter(|value| value.is_ok()).count();
        assert_eq!((values.len(), n_texts), (30, (1 << 20) / 40_001 + 1));
        assert_eq!(values.last(), Some(&Err(UNKNOWN.len)));
        let numbers: Vec<_> = (0..20).map_while(|n| select(host, &query(n))).collect();
        assert_eq!(numbers.len(), 15);
    });
}

#[test]
fn one_byte_that_is_not_ascii_is_enough() {
    for n in 0..40 {
        let mut bytes = vec![0x7f; n];
        assert!(is_ascii(&bytes));
        for at in 0..n {
            bytes[at] = 0x80;
            assert!(!is_ascii(&bytes), "{at} of {n}");
            bytes[at] = b'a';
        }
    }
}
