//! Tables as rows.

use crawl_spider::{Table, json};

use crate::page_from_html;

fn table(html: &str) -> Table {
    page_from_html("http://h/", html).unwrap().page().tables("table").unwrap().remove(0)
}

/// Headers and rows of the first table, cells joined by `|`, rows by `/`.
#[track_caller]
fn check(html: &str, headers: &str, rows: &str) {
    let table = table(&format!("<table>{html}</table>"));
    let found: Vec<String> = table.rows.iter().map(|row| row.join("|")).collect();
    assert_eq!(
        (table.headers.join("|").as_str(), found.join("/").as_str()),
        (headers, rows),
        "{html}"
    );
    assert!(!table.truncated);
}

#[test]
fn rows_and_headers_are_found() {
    check("<tr><th>a<th>b<tr><td>1<td>2", "a|b", "1|2");
    check("<thead><tr><td>a<td>b<tbody><tr><td>1<td>2", "a|b", "1|2");
    check("<tr><td>1<td>2<tr><td>3<td>4", "", "1|2/3|4");
    check("<tr><th>a<td>1<tr><th>b<td>2", "", "a|1/b|2");
    check("<tfoot><tr><td>sum<tbody><tr><td>1", "", "1/sum");
    check(
        "<thead><tr><th colspan=2>x<th rowspan=2>z<tr><th>a<th>b<tbody><tr><td>1<td>2<td>3",
        "x a|x b|z",
        "1|2|3",
    );
    check("<tr><td> a <br>b<p>c</p><script>x</script>", "", "a b c");
    check("<tr><td>1<tr><td>2<td>3", "", "1|/2|3");
    check("", "", "");
    check("<tr><tr><td>1", "", "/1");
}

#[test]
fn spans_are_filled() {
    check("<tr><td colspan=2>a<td>b<tr><td>1<td>2<td>3", "", "a|a|b/1|2|3");
    check("<tr><td rowspan=2>a<td>b<tr><td>c", "", "a|b/a|c");
    check("<tr><td>a<td rowspan=2>b<td>c<tr><td>1<td>2", "", "a|b|c/1|b|2");
    check("<tr><td rowspan=2 colspan=2>a<td>b<tr><td>c", "", "a|a|b/a|a|c");
    check("<tr><td rowspan=0>a<td>1<tr><td>2<tr><td>3<tbody><tr><td>b<td>4", "", "a|1/a|2/a|3/b|4");
    check("<tr><td rowspan=9>a<td>1<tbody><tr><td>b<td>2", "", "a|1/b|2");
    check(
        "<tr><td colspan=0>a<td colspan=x>b<td colspan=-1>c<td colspan=' +2x'>d",
        "",
        "a|b|c|d|d",
    );
    check("<tr><td>a<td rowspan=2>b<tr><td colspan=2>c", "", "a|b/c|c");
    check("<tr><td rowspan=3>a<tr><tr><td>b", "", "a|/a|/a|b");
}

#[test]
fn tables_within_tables_are_their_own() {
    let html = "<table id=o><tr><td>a<table><tr><td>b<td>c</table><td>d</table>";
    let test = page_from_html("http://h/", html).unwrap();
    let tables = test.page().tables("table").unwrap();
    assert_eq!(tables[0].rows, [["a b c", "d"]]);
    assert_eq!(tables[1].rows, [["b", "c"]]);
    assert!(test.page().first("td").unwrap().unwrap().table().is_none());
}

#[test]
fn rows_are_maps_on_request() {
    let table = table(
        "<table><caption>C <b>d</b></caption><tr><th>a<th><th>a<tr><td>1<td>2<td>3<td>4</table>",
    );
    assert_eq!(table.caption.as_deref(), Some("C d"));
    let maps = serde_json::to_value(table.rows_as_maps()).unwrap();
    assert_eq!(maps, json!([{"a": "1", "column 2": "2", "a (3)": "3", "column 4": "4"}]));
}

#[test]
fn spans_without_end_are_cut_short_and_no_cell_is_lost() {
    let html = format!("<table>{}</table>", "<tr><td colspan=1000 rowspan=65534>x".repeat(3000));
    let cut = table(&html);
    assert!(cut.truncated);
    assert_eq!(cut.rows.len(), 3000);
    assert!(cut.rows.iter().map(Vec::len).sum::<usize>() < 1_100_000);
    assert!(cut.rows.iter().all(|row| row.iter().any(|cell| cell == "x")));
    let wide = table(&format!(
        "<table><tr>{}</tr>{}</table>",
        "<td>".repeat(3000),
        "<tr><td>y".repeat(3000)
    ));
    assert!(wide.truncated && wide.rows[2999] == ["y"]);
    let long = format!(
        "<table><tr><td rowspan=0>{}</td></tr>{}</table>",
        "z".repeat(1 << 20),
        "<tr>".repeat(100)
    );
    let long = table(&long);
    assert!(long.truncated);
    assert!(long.rows.iter().flatten().map(String::len).sum::<usize>() <= 34 << 20);
}
