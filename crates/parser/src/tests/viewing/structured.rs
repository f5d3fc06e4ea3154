//! JSON-LD, microdata, RDFa and OpenGraph.

use crawl_spider::{StructuredData, Value, json};

use crate::page_from_html;

fn structured(html: &str) -> StructuredData {
    page_from_html("http://h/d/p", html).unwrap().page().structured().clone()
}

/// What the JSON-LD scripts of a page say, and how many are invalid.
#[track_caller]
fn ld(script: &str, expected: Value, n_invalid: usize) {
    let data = structured(&format!("<script type='application/ld+json'>{script}</script>"));
    assert_eq!(
        (Value::Array(data.json_ld), data.json_ld_invalid),
        (expected, n_invalid),
        "{script}"
    );
}

#[test]
fn json_ld_is_read_strictly_and_then_with_patience() {
    ld(r#"{"@type":"Book"}"#, json!([{"@type": "Book"}]), 0);
    ld(r#" [{"a":1},{"b":2}] "#, json!([[{"a": 1}, {"b": 2}]]), 0);
    ld(r#"<!-- {"a":1} -->"#, json!([{"a": 1}]), 0);
    ld("//<![CDATA[\n{\"a\":1}\n//]]>", json!([{"a": 1}]), 0);
    ld("/*<![CDATA[*/{\"a\":1}/*]]>*/", json!([{"a": 1}]), 0);
    ld("{\"a\":\"x\ny\tz\"}", json!([{"a": "x\ny\tz"}]), 0);
    ld(r#"{"a":[1,2,],}"#, json!([{"a": [1, 2]}]), 0);
    ld(r#"{"a":"x,]\",}"};"#, json!([{"a": "x,]\",}"}]), 0);
    ld(r#"{"a":"it\'s"}"#, json!([{"a": "it's"}]), 0);
    ld("{a:1}", json!([]), 1);
    ld("  ", json!([]), 0);
    ld(&"[".repeat(5000), json!([]), 1);
}

#[test]
fn json_ld_types_may_have_parameters_and_graphs_are_flattened_on_request() {
    let data = structured(
        "<script type='Application/LD+JSON; charset=utf-8'>{\"@graph\":[{\"a\":1},{\"b\":2}]}</script>\
         <script type=application/json>{\"c\":1}</script><script type=application/ld+json>[{\"d\":1},5]</script>",
    );
    assert_eq!(data.json_ld.len(), 2);
    let objects: Vec<_> = data.json_ld_objects().cloned().collect();
    assert_eq!(objects, [json!({"a": 1}), json!({"b": 2}), json!({"d": 1})]);
}

#[track_caller]
fn micro(html: &str, expected: Value) {
    assert_eq!(Value::Array(structured(html).microdata), expected, "{html}");
}

/// The values of the property `p` of the only item.
#[track_caller]
fn micro_value(html: &str, expected: &str) {
    micro(&format!("<div itemscope>{html}</div>"), json!([{"properties": {"p": [expected]}}]));
}

#[test]
fn microdata_values_depend_on_the_element() {
    micro_value("<span itemprop=p> a <b>b</b></span>", " a b");
    micro_value("<meta itemprop=p content=x>", "x");
    micro_value("<meta itemprop=p>", "");
    micro_value("<a itemprop=p href=../x#y>text</a>", "http://h/x#y");
    micro_value("<a itemprop=p>text</a>", "");
    micro_value("<img itemprop=p src=x.png>", "http://h/d/x.png");
    micro_value("<link itemprop=p href=http://schema.org/InStock>", "http://schema.org/InStock");
    micro_value("<object itemprop=p data=x></object>", "http://h/d/x");
    micro_value("<data itemprop=p value=5>five</data>", "5");
    micro_value("<meter itemprop=p value=5>five</meter>", "5");
    micro_value("<time itemprop=p datetime=2020>then</time>", "2020");
    micro_value("<time itemprop=p>2020</time>", "2020");
    micro_value("<a itemprop=p href='mailto:a@b'>x</a>", "mailto:a@b");
}

#[test]
fn microdata_items_nest_and_refer() {
    micro(
        "<div itemscope itemtype='http://s/A http://s/B http://s/A' itemid='../i'><b itemprop='x y'>1</b><p itemprop=x>2</p></div>",
        json!([{"type": ["http://s/A", "http://s/B"], "id": "http://h/i", "properties": {"x": ["1", "2"], "y": ["1"]}}]),
    );
    micro(
        "<div itemscope><div itemprop=o itemscope itemtype=T><i itemprop=n>1</i></div><i itemprop=n>2</i></div>",
        json!([{"properties": {"o": [{"type": ["T"], "properties": {"n": ["1"]}}], "n": ["2"]}}]),
    );
    micro(
        "<i id=r itemprop=n>1</i><div itemscope itemref='r none r'><i itemprop=n>2</i></div>",
        json!([{"properties": {"n": ["1", "2"]}}]),
    );
    micro(
        "<div itemscope id=a itemref=a><i itemprop=n>1</i></div>",
        json!([{"properties": {"n": ["1"]}}]),
    );
    micro(
        "<div itemscope itemref=b></div><div id=b><p itemprop=q itemscope itemref=b></p></div>",
        json!([{"properties": {"q": [{"properties": {}}]}}]),
    );
    micro(
        "<p id=a itemprop=x itemscope itemref=b></p><p id=b itemprop=y itemscope itemref=a></p>\
         <p itemscope itemref=a></p>",
        json!([{"properties": {"x": [{"properties": {"y": [{"properties": {"x": ["ERROR"]}}]}}]}}]),
    );
    micro("<p itemprop=n>1</p><div itemscope></div>", json!([{"properties": {}}]));
    micro("<div itemprop=x itemscope></div>", json!([]));
    micro("<div itemscope itemid=x></div>", json!([{"properties": {}}]));
}

#[track_caller]
fn rdf(html: &str, expected: Value) {
    let data = structured(html);
    assert_eq!(Value::Array(data.rdfa), expected, "{html}");
    assert!(!data.truncated);
}

#[test]
fn rdfa_lite_gives_items() {
    rdf(
        "<p vocab=http://schema.org/ typeof=Person resource=#me>I am <b property=name>Ann</b>, \
         <a property='url sameAs' href=/ann>see</a> <img property=image src=a.png>\
         <meta property=email content=a@b><time property=birthDate datetime=2000-01-01>then</time>",
        json!([{"type": ["http://schema.org/Person"], "id": "http://h/d/p#me", "properties": {
            "http://schema.org/name": ["Ann"],
            "http://schema.org/url": ["http://h/ann"],
            "http://schema.org/sameAs": ["http://h/ann"],
            "http://schema.org/image": ["http://h/d/a.png"],
            "http://schema.org/email": ["a@b"],
            "http://schema.org/birthDate": ["2000-01-01"]}}]),
    );
    rdf(
        "<div vocab=http://s/ typeof=A><div property=b typeof=B><i property=n>1</i></div><i property=n>2</i></div>",
        json!([{"type": ["http://s/A"], "properties": {
            "http://s/b": [{"type": ["http://s/B"], "properties": {"http://s/n": ["1"]}}],
            "http://s/n": ["2"]}}]),
    );
    rdf(
        "<div prefix='x: http://x/ Y: http://y/' typeof='x:A y:B schema:C'><i property=y:n>1</i></div>",
        json!([{"type": ["http://x/A", "http://y/B", "http://schema.org/C"], "properties": {"http://y/n": ["1"]}}]),
    );
    rdf("<p property=n>no vocabulary, no statement</p>", json!([]));
    rdf("<p typeof=A><b property=name>x</b></p>", json!([{"properties": {}}]));
    rdf(
        "<meta property=og:title content=T>",
        json!([{"id": "http://h/d/p", "properties": {"http://ogp.me/ns#title": ["T"]}}]),
    );
    rdf(
        "<div vocab=http://s/><p property=http://other/n>1</p><div vocab=''><p property=n>2</p></div></div>",
        json!([{"id": "http://h/d/p", "properties": {"http://other/n": ["1"]}}]),
    );
    rdf(
        "<div vocab=http://s/ resource=/r><b property=n>1</b></div>",
        json!([{"id": "http://h/r", "properties": {"http://s/n": ["1"]}}]),
    );
    rdf(
        "<div vocab=http://s/ about=_:x typeof=A><b property=n resource='[foaf:me]'>1</b></div>",
        json!([{"type": ["http://s/A"], "id": "_:x", "properties": {"http://s/n": ["http://xmlns.com/foaf/0.1/me"]}}]),
    );
    // A plain link is what is spoken of in it (RDFa Core, section 7.5, step 5.2).
    rdf(
        "<div vocab=http://s/ typeof=A><a href=/x><b property=n>1</b></a></div>",
        json!([{"type": ["http://s/A"], "properties": {}}, {"id": "http://h/x", "properties": {"http://s/n": ["1"]}}]),
    );
    rdf("<p>nothing", json!([]));
}

#[test]
fn open_graph_puts_properties_to_what_they_describe() {
    let data = structured(
        "<meta property=og:title content=T><meta property=og:image content=a>\
         <meta property=og:image:width content=3><meta property=og:image content=b>\
         <meta property=og:locale content=de><meta property=og:locale:alternate content=fr>\
         <meta property=og:locale:alternate content=it><meta property=og:video:url content=v>",
    );
    assert_eq!(
        data.open_graph,
        json!({
            "title": ["T"],
            "image": [{"value": "a", "width": ["3"]}, "b"],
            "locale": [{"value": "de", "alternate": ["fr", "it"]}],
            "video": [{"url": ["v"]}]
        })
    );
    assert_eq!(structured("<p>").open_graph, Value::Null);
}
