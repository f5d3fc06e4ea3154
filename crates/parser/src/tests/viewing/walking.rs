//! From one element to another.

use crate::page_from_html;

#[test]
fn elements_lead_to_their_neighbours() {
    let html = "<ul>x<li id=a class='c d'>1<li id=b>2<!-- - --> <li id=c><b>3</b>y</ul>";
    let test = page_from_html("http://h/", html).unwrap();
    let page = test.page();
    let b = page.first("#b").unwrap().unwrap();
    assert_eq!(b.next().unwrap().attr("id"), Some("c"));
    assert_eq!(b.prev().unwrap().attrs(), [("id", "a"), ("class", "c d")]);
    let parent = b.parent().unwrap();
    assert_eq!(parent.children().map(|n| n.text()).collect::<Vec<_>>(), ["1", "2", "3y"]);
    let up: Vec<_> = b.ancestors().map(|n| n.tag()).collect();
    assert_eq!(up, ["ul", "body", "html"]);
    assert!(page.first("html").unwrap().unwrap().parent().is_none());
    assert_eq!(b.prev().unwrap().next_all().count(), 2);
    assert!(b.prev().unwrap().prev().is_none() && b.children().next().is_none());
    assert_eq!(page.first("#b").unwrap().unwrap().id(), b.id());
}

#[test]
fn urls_are_joined_like_links() {
    let test = page_from_html("http://h/d/p", "<base href=/b/>").unwrap();
    assert_eq!(test.page().urljoin("x#y").unwrap().as_str(), "http://h/b/x");
    assert!(test.page().urljoin("mailto:x").is_err());
}
