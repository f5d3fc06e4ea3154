//! The quotes' pages say what their truth says.

use super::*;

fn get(path: &str) -> (u16, String) {
    ask(&Quotes::default(), &SiteRequest::get(Quotes::HOST, path))
}

fn ask(site: &Quotes, request: &SiteRequest<'_>) -> (u16, String) {
    let reply = site.respond(request);
    (reply.status, String::from_utf8(reply.body.to_vec()).unwrap())
}

/// What stands between `before` and `after`, each time, entities undone.
fn between(html: &str, before: &str, after: &str) -> Vec<String> {
    let parts = html.split(before).skip(1);
    parts.map(|part| unescaped(part.split(after).next().unwrap_or_default())).collect()
}

fn unescaped(text: &str) -> String {
    let undone = text.replace("&quot;", "\"").replace("&#39;", "'");
    undone.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// Texts and authors of a list's pages, in order.
fn listed(path: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for page in 1.. {
        let (status, html) = get(&format!("{path}page/{page}/"));
        assert_eq!(status, 200);
        let texts = between(&html, "<span class=\"text\" itemprop=\"text\">", "</span>");
        let authors = between(&html, "itemprop=\"author\">", "</small>");
        assert_eq!(texts.len(), authors.len());
        found.extend(texts.into_iter().zip(authors));
        if !html.contains("class=\"next\"") {
            return found;
        }
    }
    unreachable!("the last page has no next one")
}

fn told(quotes: &[Quote]) -> Vec<(String, String)> {
    quotes.iter().map(|quote| (quote.text.clone(), quote.author.to_owned())).collect()
}

#[test]
fn the_lists_have_all_quotes_and_those_of_each_tag() {
    let quotes = Quotes::quotes();
    assert_eq!(listed("/"), told(&quotes));
    for tag in Quotes::tags() {
        let tagged = Quotes::tagged(tag);
        assert!(!tagged.is_empty(), "nothing is tagged {tag}");
        assert_eq!(listed(&format!("/tag/{tag}/")), told(&tagged));
    }
    assert!(Quotes::tags().iter().any(|tag| Quotes::tagged(tag).len() > PER_PAGE), "one page each");
    assert!(quotes.iter().any(|quote| quote.tags.is_empty()), "all have tags");
    assert!(get("/page/11/").1.contains("No quotes found!"));
    assert_eq!(
        ["/page/0/", "/page/02/", "/page/2", "/tag/none/"].map(|path| get(path).0),
        [404; 4]
    );
}

#[test]
fn no_quote_comes_twice_and_all_authors_are_quoted() {
    let quotes = Quotes::quotes();
    let texts: BTreeSet<_> = quotes.iter().map(|quote| &quote.text).collect();
    assert_eq!((quotes.len(), texts.len()), (N_QUOTES, N_QUOTES));
    let authors: BTreeSet<_> = quotes.iter().map(|quote| quote.author).collect();
    assert_eq!(authors.len(), Quotes::authors().len());
}

#[test]
fn an_authors_link_redirects_to_the_page() {
    for author in Quotes::authors() {
        let link = format!("/author/{}", author.slug);
        let reply = Quotes::default().respond(&SiteRequest::get(Quotes::HOST, &link));
        assert_eq!(reply.status, 308);
        let (status, html) = get(&reply.headers[0].1);
        assert_eq!(status, 200);
        assert_eq!(between(&html, "author-title\">", "</h3>"), [author.name]);
        assert_eq!(between(&html, "author-born-location\">", "</span>"), [author.born_in]);
    }
}

#[test]
fn the_api_ends_where_the_quotes_do() {
    let mut texts = Vec::new();
    for page in 1.. {
        let (_, json) = get(&format!("/api/quotes?page={page}"));
        let answer: Value = serde_json::from_str(&json).unwrap();
        for quote in answer["quotes"].as_array().unwrap() {
            texts.push(quote["text"].as_str().unwrap().to_owned());
        }
        if answer["has_next"] == false {
            break;
        }
    }
    assert_eq!(texts, Quotes::quotes().into_iter().map(|quote| quote.text).collect::<Vec<_>>());
    assert_eq!(get("/api/quotes?page=x").0, 404);
}

#[test]
fn a_script_has_the_quotes_as_data() {
    let (_, html) = get("/js/page/3/");
    let data = &html[html.find("var data = ").unwrap() + 11..];
    let data: Value = serde_json::from_str(&data[..data.find(";\n").unwrap()]).unwrap();
    assert_eq!(data, shown(&Quotes::quotes(), 3).iter().map(as_json).collect::<Value>());
}

#[test]
fn tables_have_the_quotes_and_the_authors() {
    let (_, html) = get("/tableful/page/2/");
    let cells = between(&html, "padding-top: 2em;\">", "</td>");
    let quotes = Quotes::quotes();
    let told: Vec<_> = shown(&quotes, 2)
        .iter()
        .map(|quote| format!("{} Author: {}", quote.text, quote.author))
        .collect();
    assert_eq!(cells, told);
    let (_, html) = get("/authors/");
    assert_eq!(html.matches("<tr><").count(), 2 + Quotes::authors().len());
    assert!(html.contains("rowspan=\"3\">Germany"), "{html}");
}

/// Posts a form.
fn post(site: &Quotes, path: &str, cookie: &str, body: &str) -> Reply {
    let mut headers = hyper::HeaderMap::new();
    headers.insert("cookie", cookie.parse().unwrap());
    let mut request = SiteRequest::get(Quotes::HOST, path).with_headers(&headers);
    (request.method, request.body) = ("POST", body.as_bytes());
    site.respond(&request)
}

fn set_cookie(reply: &Reply) -> String {
    let field = reply.headers.iter().find(|(name, _)| name == "set-cookie");
    field.unwrap().1.split(';').next().unwrap().to_owned()
}

#[test]
fn only_who_has_token_cookie_and_password_gets_in() {
    let site = Quotes::default();
    let form = site.respond(&SiteRequest::get(Quotes::HOST, "/login"));
    let visitor = set_cookie(&form);
    let html = String::from_utf8(form.body.to_vec()).unwrap();
    let token = between(&html, "name=\"csrf_token\" value=\"", "\"").remove(0);
    let good = format!("csrf_token={token}&username=reader&password=s3cret+%26+safe");

    assert_eq!(post(&site, "/login", "a=b", &good).status, 403, "without a session");
    assert_eq!(post(&site, "/login", "session=77", &good).status, 403, "another's token");
    let wrong = post(&site, "/login", &visitor, &good.replace("s3cret", "secret"));
    assert_eq!(wrong.status, 200);
    assert!(String::from_utf8_lossy(&wrong.body).contains("class=\"error\""));
    let inside = post(&site, "/login", &visitor, &good);
    assert_eq!(inside.status, 302);

    let list = |cookie: &str| {
        let mut headers = hyper::HeaderMap::new();
        headers.insert("cookie", cookie.parse().unwrap());
        ask(&site, &SiteRequest::get(Quotes::HOST, "/").with_headers(&headers)).1
    };
    let members = list(&format!("x=y; {}", set_cookie(&inside)));
    assert!(members.contains("Logout") && members.contains("readingroom.example"));
    assert!(list(&visitor).contains("Login") && !list(&visitor).contains("readingroom"));
    let left = site.respond(&SiteRequest::get(Quotes::HOST, "/logout"));
    assert_eq!((left.status, set_cookie(&left)), (302, "session=".to_owned()));
}

#[test]
fn the_form_offers_an_authors_tags_and_wants_its_state_back() {
    let site = Quotes::default();
    let sent = |fields: &[(&str, &str)]| {
        let escape = |text: &str| text.bytes().map(|b| format!("%{b:02x}")).collect::<String>();
        let fields: Vec<_> = fields.iter().map(|(n, v)| format!("{n}={}", escape(v))).collect();
        let reply = post(&site, "/filter.aspx", "", &fields.join("&"));
        (reply.status, String::from_utf8(reply.body.to_vec()).unwrap())
    };
    let state = |html: &str| between(html, "id=\"__VIEWSTATE\" value=\"", "\"").remove(0);
    let (_, start) = get("/search.aspx");
    let author = "Lorenzo de' Fiori";
    let first = [("author", author), ("tag", "----------"), ("__VIEWSTATE", &state(&start))];
    let (status, second) = sent(&first);
    assert_eq!(status, 200);
    let tags = between(second.split("id=\"tag\"").nth(1).unwrap(), "<option value=\"", "\"");
    assert_eq!(tags, Quotes::tags_of(author));
    assert!(!tags.is_empty());
    for tag in &tags {
        let fields = [("author", author), ("tag", tag), ("__VIEWSTATE", &state(&second))];
        let (_, found) = sent(&fields);
        let texts = between(&found, "<span class=\"content\">", "</span>");
        let told: Vec<_> = Quotes::search(author, tag).into_iter().map(|q| q.text).collect();
        assert_eq!(texts, told);
        let early = [("author", author), ("tag", tag), ("__VIEWSTATE", &state(&start))];
        assert!(!sent(&early).1.contains("class=\"content\""), "the tag was not offered");
    }
    assert_eq!(sent(&[("author", author), ("__VIEWSTATE", "made up")]).0, 500);
}
