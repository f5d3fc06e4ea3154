//! Forms: what is sent, by default and when filled in.

use crawl_spider::{FieldKind, FormError, Method, Request, SpiderError};

use crate::{TestPage, page_from_body, page_from_html};

fn page(html: &str) -> TestPage {
    page_from_html("http://h/d/p?old=1", html).unwrap()
}

/// What the first form of a page sends, as a query.
#[track_caller]
fn check(html: &str, expected: &str) {
    let test = page(&format!("<form action=/s>{html}</form>"));
    let request = test.page().forms()[0].submit().unwrap();
    assert_eq!(query(&request), expected, "{html}");
}

fn query(request: &Request) -> String {
    let (path, query) = request.url.path_and_query().split_once('?').unwrap();
    assert_eq!(path, "/s");
    query.to_owned()
}

#[test]
fn controls_send_what_a_browser_sends_by_default() {
    check("<input name=a value=1><input name=b>", "a=1&b=");
    check("<input value=1><input name='' value=2>", "");
    check("<input type=hidden name=a value=' x\ny '>", "a=+x%0D%0Ay+");
    check("<input type=TEXT name=a value='x\ny'>", "a=xy");
    check("<input type=checkbox name=a><input type=checkbox name=b checked>", "b=on");
    check(
        "<input type=checkbox name=a value=1 checked><input type=checkbox name=a value=2 checked>",
        "a=1&a=2",
    );
    check("<input type=radio name=a value=1><input type=radio name=a value=2 checked>", "a=2");
    check(
        "<input type=radio name=a value=1 checked><input type=radio name=a value=2 checked>",
        "a=2",
    );
    check("<input type=radio name=a value=1><input type=radio name=a value=2>", "");
    check("<input type=file name=a value=x>", "a=");
    check("<input type=submit name=a value=1><input type=image name=b><button name=c value=2>", "");
    check(
        "<input type=reset name=a value=1><input type=button name=b value=2><button type=button name=c>",
        "",
    );
    check("<input name=_CHARSET_ type=hidden value=x>", "_CHARSET_=UTF-8");
    check("<input name=a dirname=a.dir value=x>", "a=x");
    check("<object name=a></object><output name=b>1</output>", "");
}

#[test]
fn texts_keep_their_lines_and_lose_what_is_no_value() {
    check("<textarea name=a>\nx\ny</textarea>", "a=x%0D%0Ay");
    check("<textarea name=a>\n\nx</textarea>", "a=%0D%0Ax");
    check("<textarea name=a><b>&lt;</textarea>", "a=%3Cb%3E%3C");
    check(
        "<input type=email name=a value=' x@y '><input type=url name=b value=' http://y '>",
        "a=x%40y&b=http%3A%2F%2Fy",
    );
    check("<input type=email multiple name=a value=' x@y , z@y '>", "a=x%40y%2Cz%40y");
    check("<input type=number name=a value=1e3><input type=number name=b value=x>", "a=1e3&b=");
    check("<input type=range name=a><input type=range name=b value=7 max=5>", "a=50&b=5");
    check("<input type=range name=a min=1 max=10 step=4 value=6>", "a=5");
    check(
        "<input type=color name=a><input type=color name=b value=#ABCDEF>",
        "a=%23000000&b=%23abcdef",
    );
    check(
        "<input type=date name=a value=2024-02-30><input type=date name=b value=2024-02-29>",
        "a=&b=2024-02-29",
    );
    check("<input type=datetime-local name=a value='2024-01-02 03:04'>", "a=2024-01-02T03%3A04");
    check("<input name=a value='a b&c=d+é*-._~'>", "a=a+b%26c%3Dd%2B%C3%A9*-._%7E");
}

#[test]
fn selects_send_what_is_selected() {
    check("<select name=a><option>x<option>y</select>", "a=x");
    check("<select name=a><option disabled>x<option>y</select>", "a=y");
    check(
        "<select name=a><optgroup disabled><option>x</optgroup><option value=2>y</select>",
        "a=2",
    );
    check("<select name=a><option>x<option selected value=''> y </select>", "a=");
    check("<select name=a><option selected>x<option selected>y</select>", "a=y");
    check("<select name=a size=2><option>x<option>y</select>", "");
    check(
        "<select name=a multiple><option>x<option selected>y<option selected>z</select>",
        "a=y&a=z",
    );
    check("<select name=a multiple><option>x</select>", "");
    check("<select name=a><option>  a \n b </select>", "a=a+b");
    check("<select name=a><option label=L>x</select>", "a=x");
    check("<select name=a><option selected disabled>x<option>y</select>", "");
    check("<select name=a></select>", "");
}

#[test]
fn disabled_controls_and_those_of_lists_are_not_sent() {
    check("<input name=a disabled><textarea name=b disabled></textarea>", "");
    check("<fieldset disabled><input name=a></fieldset><input name=b>", "b=");
    check(
        "<fieldset disabled><legend><input name=a></legend><input name=b><legend><input name=c></legend></fieldset>",
        "a=",
    );
    check(
        "<fieldset disabled><fieldset disabled><legend><input name=a></legend></fieldset></fieldset>",
        "",
    );
    check(
        "<fieldset disabled><legend><fieldset><input name=a></fieldset></legend></fieldset>",
        "a=",
    );
    check(
        "<datalist id=l><input name=a><select name=b><option>x</select></datalist><input name=c list=l>",
        "c=",
    );
}

/// The names of each form's fields.
#[track_caller]
fn owners(html: &str, expected: &[&str]) {
    let test = page(html);
    let names: Vec<String> = test
        .page()
        .forms()
        .iter()
        .map(|form| form.fields().iter().map(|field| field.name.as_str()).collect())
        .collect();
    assert_eq!(names, expected, "{html}");
}

#[test]
fn controls_belong_to_the_form_that_the_text_puts_them_in() {
    owners("<form><input name=a></form><input name=b><form><input name=c>", &["a", "c"]);
    owners("<table><form><tr><td><input name=a></td></tr></form></table><input name=b>", &["a"]);
    owners("<table><tr><form><td><input name=a><td><select name=b></table>", &["ab"]);
    owners("<div><form></div><input name=a></form><input name=b>", &["a"]);
    owners("<form id=f></form><input name=a form=f><input name=b form=g>", &["a"]);
    owners(
        "<form id=f><input name=a></form><form><input name=b form=f><input name=c form=''></form>",
        &["ab", ""],
    );
    owners("<form><form><input name=a></form><input name=b></form>", &["a"]);
    owners("<form><div></form><input name=a></div>", &["a"]);
    owners("<form><template><input name=a></template></form>", &[""]);
    owners("<p id=f><input name=a form=f>", &[]);
}

#[test]
fn a_node_knows_its_form_wherever_it_stands() {
    let test = page(
        "<table><form id=x><tr><td><input name=a id=i></table></form><form><p id=p>y</form><b id=b>z",
    );
    let page = test.page();
    assert_eq!(page.form("#i").unwrap().unwrap().parts().id, "x");
    assert_eq!(page.first("#p").unwrap().unwrap().form().unwrap().parts().id, "");
    assert!(page.first("#b").unwrap().unwrap().form().is_none());
    assert!(page.form("form#x").unwrap().is_some() && page.form("form#y").unwrap().is_none());
}

/// Where a form is sent.
#[track_caller]
fn action(form: &str, expected: &str) {
    let test = page(&format!("<base href=/base/><form {form}></form>"));
    let text = match test.page().forms()[0].submit() {
        Ok(request) => format!("{} {}", request.method.as_str(), request.url.as_str()),
        Err(error) => error.chain(),
    };
    assert_eq!(text, expected, "{form}");
}

#[test]
fn actions_are_resolved_and_queries_replaced() {
    action("action=s?a=b#c", "GET http://h/base/s?");
    action("", "GET http://h/d/p?");
    action("action=''", "GET http://h/d/p?");
    action("method=post", "POST http://h/d/p?old=1");
    action("method=POST action=s?a=b", "POST http://h/base/s?a=b");
    action("method=put action=s", "GET http://h/base/s?");
    action("method=dialog", "the form has the method `dialog`, which sends nothing");
    action(
        "action=javascript:x()",
        "the form is sent to `javascript:x()`: scheme `javascript` is not http or https",
    );
}

/// Content type and body of a posted form.
#[track_caller]
fn posted(attrs: &str, html: &str, content_type: &str, body: &str) {
    let test = page(&format!("<form method=post {attrs}>{html}</form>"));
    let request = test.page().forms()[0].submit().unwrap();
    assert_eq!(request.method, Method::Post);
    let headers: Vec<_> = request.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let sent = String::from_utf8(request.body).unwrap();
    let boundary = headers[0].1.split_once("boundary=").map_or("-", |(_, b)| b);
    let content_type = content_type.replace('@', boundary);
    assert_eq!(
        (headers.as_slice(), sent),
        (&[("content-type", &*content_type)][..], body.replace('@', boundary))
    );
}

#[test]
fn bodies_are_written_as_the_form_says() {
    let fields = "<input name=a value='x y'><textarea name='b\"'>1\n2</textarea>";
    posted("", fields, "application/x-www-form-urlencoded", "a=x+y&b%22=1%0D%0A2");
    posted("enctype=text/PLAIN", fields, "text/plain", "a=x y\r\nb\"=1\r\n2\r\n");
    posted("enctype=nonsense", "<input name=a>", "application/x-www-form-urlencoded", "a=");
    posted(
        "enctype=multipart/form-data",
        &format!("{fields}<input type=file name=f>"),
        "multipart/form-data; boundary=@",
        "--@\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx y\r\n\
         --@\r\nContent-Disposition: form-data; name=\"b%22\"\r\n\r\n1\r\n2\r\n\
         --@\r\nContent-Disposition: form-data; name=\"f\"; filename=\"\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n\r\n--@--\r\n",
    );
}

#[test]
fn one_submission_is_one_request_and_its_boundary_is_not_in_it() {
    let html = "<form method=post enctype=multipart/form-data><input name=a></form>";
    let test = page(html);
    let mut form = test.page().forms().remove(0);
    assert_eq!(form.submit().unwrap(), form.submit().unwrap());
    let text = String::from_utf8(form.submit().unwrap().body).unwrap();
    form.set("a", text).unwrap();
    let request = form.submit().unwrap();
    let boundary = request.headers[0].1.split_once("boundary=").unwrap().1.to_owned();
    assert_eq!(String::from_utf8(request.body).unwrap().matches(&boundary).count(), 2);
}

#[test]
fn forms_are_sent_in_the_encoding_of_the_document() {
    let html = encoding_rs::SHIFT_JIS
        .encode(
            "<form action=/s><input name=a value='本é'><input type=hidden name=_charset_></form>",
        )
        .0;
    let test = page_from_body("http://h/", "text/html; charset=shift_jis", html).unwrap();
    let request = test.page().forms()[0].submit().unwrap();
    assert_eq!(query(&request), "a=%96%7B%26%23233%3B&_charset_=Shift_JIS");
    let test = page("<form action=/s accept-charset='x iso-8859-1'><input name=a value=é></form>");
    assert_eq!(query(&test.page().forms()[0].submit().unwrap()), "a=%E9");
    let test =
        page_from_body("http://h/", "text/html; charset=utf-16le", "<\0f\0o\0r\0m\0>\0").unwrap();
    assert_eq!(test.page().forms()[0].parts().charset, "UTF-8");
}

const FULL: &str = "<form action=/s id=search><input name=user value=me><input type=hidden name=tok value=7>\
    <input type=radio name=sort value=new checked><input type=radio name=sort value=old>\
    <select name=cat><option value=1>Tea<option value=2>Pots</select>\
    <select name=tag multiple><option>a<option selected>b<option disabled>c</select>\
    <input type=checkbox name=all value=yes checked><input type=hidden name=flag value=0><input type=checkbox name=flag value=1>\
    <input name=n value=1><input name=n value=2><input name=off disabled><input type=file name=up>\
    <input list=l name=city><datalist id=l><option>Rome<option value=B>Berlin</datalist>\
    <input type=submit name=go value=Go><button formaction=/t formmethod=post name=del value=1 id=d>Delete <b>it</b></button>\
    <input type=image name=map><input type=image alt=pic><button disabled name=no></button></form>";

/// What the form of `FULL` sends for a name after a change, or the error.
#[track_caller]
fn change(
    what: impl Fn(&mut crawl_spider::Form<'_>) -> Result<(), FormError>,
    name: &str,
    expected: &str,
) {
    let test = page(FULL);
    let mut form = test.page().forms().remove(0);
    let sent = match what(&mut form) {
        Ok(()) => {
            let entries = form.entries().into_iter().filter(|(key, _)| key == name);
            entries.map(|(_, value)| value).collect::<Vec<_>>().join(",")
        }
        Err(error) => error.to_string(),
    };
    assert_eq!(sent, expected);
}

#[test]
fn fields_are_set_as_a_person_could() {
    change(|f| f.set("user", "you").map(drop), "user", "you");
    change(|f| f.set("sort", "old").map(drop), "sort", "old");
    change(|f| f.set("cat", "2").map(drop), "cat", "2");
    change(|f| f.set("tag", "a").map(drop), "tag", "a");
    change(|f| f.set_all("tag", ["a", "b"]).map(drop), "tag", "a,b");
    change(|f| f.set_all("tag", [""; 0]).map(drop), "tag", "");
    change(|f| f.check("all", false).map(drop), "all", "");
    change(|f| f.set("flag", "1").map(drop), "flag", "0,1");
    change(|f| f.set("flag", "1").and_then(|f| f.set("flag", "0")).map(drop), "flag", "0");
    change(|f| f.set("n", "9").map(drop), "n", "9,2");
    change(|f| f.set_all("n", ["7", "8", "9"]).map(drop), "n", "7,8,9");
    change(|f| f.set("city", "Oslo").map(drop), "city", "Oslo");
    change(|f| f.force("cat", "99").check("all", true).map(drop), "cat", "99");
    change(|f| f.force("new", "x").check("all", true).map(drop), "new", "x");
    change(|f| f.force("off", "x").check("all", true).map(drop), "off", "x");
    change(|f| f.remove("n").check("all", true).map(drop), "n", "");
}

#[test]
fn what_cannot_be_set_says_why_and_what_can() {
    change(
        |f| f.set("usr", "x").map(drop),
        "",
        "the form has no field `usr` (did you mean `user`?), it has `user`, `tok`, `sort`, `cat`, \
         `tag`, `all`, `flag`, `n`, `off`, `up`, `city`; `force` adds one",
    );
    change(
        |f| f.set("cat", "3").map(drop),
        "",
        "`3` is not an option of `cat`, it has `1`, `2`; `force` sends it all the same",
    );
    change(
        |f| f.set("tag", "c").map(drop),
        "",
        "`c` is not an option of `tag`, it has `a`, `b`; `force` sends it all the same",
    );
    change(
        |f| f.set("off", "1").map(drop),
        "",
        "`off` is disabled in the form; `force` sends a field all the same",
    );
    change(|f| f.set("up", "1").map(drop), "", "`up` takes a file, and files are not uploaded");
    change(|f| f.check("user", true).map(drop), "", "`user` is no check box; use `set`");
}

#[test]
fn buttons_add_what_they_are() {
    let test = page(FULL);
    let form = test.page().forms().remove(0);
    let base = query(&form.submit().unwrap());
    let press = |button: &str| form.submit_with(button);
    assert_eq!(query(&press("go").unwrap()), format!("{base}&go=Go"));
    assert_eq!(query(&press("Go").unwrap()), format!("{base}&go=Go"));
    assert_eq!(query(&press("map").unwrap()), format!("{base}&map.x=0&map.y=0"));
    assert_eq!(query(&press("pic").unwrap()), format!("{base}&x=0&y=0"));
    let deleted = press("Delete it").unwrap();
    assert_eq!((deleted.method, deleted.url.path()), (Method::Post, "/t"));
    assert_eq!(deleted.body, format!("{base}&del=1").into_bytes());
    assert_eq!(press("d").unwrap(), deleted);
    let error = press("og").unwrap_err().to_string();
    assert_eq!(error, "the form has no button `og`, it has `go`, `del`, `map`, `pic`, `no`");
    assert!(matches!(press("no"), Err(SpiderError::Form(FormError::Disabled { .. }))));
}

#[test]
fn fields_tell_what_they_are() {
    let test = page(FULL);
    let form = test.page().form("#search").unwrap().unwrap();
    let city = form.field("city").unwrap();
    let labels: Vec<_> =
        city.options.iter().map(|o| (o.value.as_str(), o.label.as_str())).collect();
    assert_eq!((city.kind, labels), (FieldKind::Text, vec![("Rome", "Rome"), ("B", "Berlin")]));
    assert_eq!(form.value("cat").as_deref(), Some("1"));
    assert_eq!((form.value("nothing"), form.value("off")), (None, None));
    assert_eq!(form.field("cat").unwrap().options[1].label, "Pots");
    assert_eq!(form.action().unwrap().as_str(), "http://h/s");
}

#[test]
fn a_query_that_is_too_long_is_an_error() {
    let test = page("<form><input name=a></form>");
    let mut form = test.page().forms().remove(0);
    form.set("a", "x".repeat(3000)).unwrap();
    assert!(matches!(form.submit(), Err(SpiderError::Url(_))));
}
