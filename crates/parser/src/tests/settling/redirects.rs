//! Where an answer leads: `Location`, `Refresh`, chains, cookie walls.

use crawl_model::{IdentityConfig, KeyRules};

use super::*;

#[test]
fn a_quick_refresh_is_a_redirect_and_a_slow_one_a_link() {
    let read = |headers: &[(&str, &str)], body: &str| {
        let mut all = vec![("content-type", "text/html")];
        all.extend(headers);
        let mut request = get("http://h/d/a");
        request.label = "x".into();
        parser(Odd).parse(fetched(request, Ok(response(200, &all, body))))
    };
    let hop = |parsed: Parsed, target: &str| {
        assert_eq!(verdict(&parsed), Verdict::Redirected, "{target}");
        assert_eq!((found(&parsed), parsed.items.kept.len()), (vec![target], 0));
        assert_eq!(parsed.record.redirect, Some(url(target)));
        let request = &parsed.found[0].request;
        assert_eq!((&*request.label, &request.chain[..]), ("x", &[url("http://h/d/a")][..]));
        assert!(parsed.response.is_some(), "its body may be archived");
    };
    let meta =
        |content: &str| format!("<title>T</title><meta http-equiv=Refresh content='{content}'>");
    hop(read(&[], &meta("0; url=b")), "http://h/d/b");
    hop(read(&[], &format!("<base href=/e/>{}", meta("5;b"))), "http://h/e/b");
    hop(read(&[("refresh", "3; url=/f")], &meta("0; url=b")), "http://h/f");
    // One inside of `noscript` is not for us; the next one is.
    let excuse = "<noscript><meta http-equiv=refresh content='0;/js'></noscript>";
    hop(read(&[], &format!("{excuse}{}", meta("0;b"))), "http://h/d/b");
    let page = |parsed: Parsed, links: &[&str]| {
        assert_eq!((verdict(&parsed), parsed.items.kept.len()), (Verdict::Ok, 1), "{links:?}");
        assert_eq!(found(&parsed), links);
    };
    page(read(&[], &meta("6; url=b")), &["http://h/d/b"]);
    page(read(&[], excuse), &["http://h/js"]);
    page(read(&[], &meta("0; url=a#top")), &["http://h/d/a"]);
    page(read(&[], &meta("0; url=mailto:x")), &[]);
    page(read(&[], &meta("0")), &[]);
    page(read(&[("refresh", "0; url=http://[")], "x"), &[]);
}

#[test]
fn refreshes_are_no_redirects_where_they_are_not_asked_for() {
    let body = "<meta http-equiv=refresh content='0;/b'>";
    let never = ParseConfig { max_refresh: Duration::ZERO, ..ParseConfig::default() };
    let parsed = parser_with(Odd, never, &[]).parse(fetched(get("http://h/a"), Ok(html(body))));
    assert_eq!(verdict(&parsed), Verdict::Ok);
    let mut request = get("http://h/a");
    request.options_mut().accept.push(200);
    assert_eq!(verdict(&parser(Odd).parse(fetched(request, Ok(html(body))))), Verdict::Ok);
    let gone = response(404, &[("content-type", "text/html"), ("refresh", "0;/b")], "");
    assert_eq!(
        verdict(&parser(Odd).parse(fetched(get("http://h/a"), Ok(gone)))),
        Verdict::HttpError
    );
}

#[test]
fn refreshes_are_judged_by_the_chain_as_other_redirects_are() {
    let mut request = get("http://h/b");
    request.chain = vec![url("http://h/a")];
    let body = |to: &str| html(&format!("<meta http-equiv=refresh content='0;{to}'>"));
    let back = parser(Odd).parse(fetched(request.clone(), Ok(body("/a"))));
    assert_eq!(
        (verdict(&back), back.items.kept.len()),
        (Verdict::RedirectLoop, 1),
        "the spider is told"
    );
    request.chain.extend([url("http://h/0"), url("http://h/1")]);
    let far = parser(Odd).parse(fetched(request, Ok(body("/c"))));
    assert_eq!(verdict(&far), Verdict::TooManyRedirects);
    let deep = parser(Odd).parse(fetched(get("http://h/b"), Ok(body("/deep"))));
    assert_eq!(
        (verdict(&deep), deep.found[0].filtered),
        (Verdict::Redirected, Some(FilterReason::TooDeep))
    );
}

fn with_cookies(mut fetched: Fetched) -> Fetched {
    fetched.cookies.push(crawl_model::CookieChange { key: "k".into(), cookie: None });
    fetched
}

#[test]
fn a_redirect_to_itself_is_followed_once_if_it_changed_the_cookies() {
    let to = |location: &str| Ok(response(302, &[("location", location)], ""));
    let known = ["http://h/a", "http://h/check"];
    let parser = parser_with(Odd, ParseConfig::default(), &known);
    let parsed = parser.parse(with_cookies(fetched(get("http://h/a"), to("/a"))));
    assert_eq!((verdict(&parsed), found(&parsed)), (Verdict::Redirected, vec!["http://h/a"]));
    let again = parsed.found[0].request.clone();
    assert!(again.options().unique.is_some() && again.chain.len() == 1);
    // Read again after a kill, it is the same request.
    let same = parser.parse(with_cookies(fetched(get("http://h/a"), to("/a"))));
    assert_eq!(same.found[0].print, parsed.found[0].print);
    // And that is all.
    let third = parser.parse(with_cookies(fetched(again, to("/a"))));
    assert_eq!((verdict(&third), third.found.len()), (Verdict::RedirectLoop, 0));
    let without = parser.parse(fetched(get("http://h/a"), to("/a")));
    assert_eq!(verdict(&without), Verdict::RedirectLoop);
}

#[test]
fn a_cookie_wall_of_several_hops_leads_back_once() {
    let to = |location: &str| Ok(response(302, &[("location", location)], ""));
    // The page sets a cookie, a second one looks whether it comes back.
    let first = parser(Odd).parse(with_cookies(fetched(get("http://h/a"), to("/check"))));
    let check = first.found[0].request.clone();
    assert_eq!(check.options().unique, None, "its URL is as good as any");
    let parser = parser_with(Odd, ParseConfig::default(), &["http://h/a"]);
    let second = parser.parse(fetched(check, to("/a")));
    assert_eq!((verdict(&second), found(&second)), (Verdict::Redirected, vec!["http://h/a"]));
    let back = second.found[0].request.clone();
    assert!(!back.options().cookies_changed);
    // Whoever forgets the cookie goes round in circles.
    let third = parser.parse(with_cookies(fetched(back, to("/check"))));
    assert_eq!(verdict(&third), Verdict::RedirectLoop);
}

#[test]
fn a_login_shows_its_page_even_if_that_is_known() {
    let mut login = get("http://h/login");
    login.method = Method::Post;
    login.label = "inside".into();
    let parser = parser_with(Odd, ParseConfig::default(), &["http://h/home"]);
    let to = || Ok(response(303, &[("location", "/home")], ""));
    let parsed = parser.parse(with_cookies(fetched(login.clone(), to())));
    let hop = &parsed.found[0].request;
    assert_eq!(
        (hop.method, &*hop.label, hop.options().unique.is_some()),
        (Method::Get, "inside", true)
    );
    assert!(parser.parse(fetched(login, to())).found.is_empty());
}

#[test]
fn a_location_in_an_old_encoding_leads_somewhere() {
    let mut reply = response(302, &[], "");
    reply.headers.push(("location".into(), Bytes::from_static(b" /caf\xe9?q=\xfc ")));
    let parsed = parser(Odd).parse(fetched(get("http://h/a"), Ok(reply)));
    assert_eq!(found(&parsed), ["http://h/caf%E9?q=%FC"]);
    let utf8 = response(302, &[("location", "/café")], "");
    let parsed = parser(Odd).parse(fetched(get("http://h/a"), Ok(utf8)));
    assert_eq!(found(&parsed), ["http://h/caf%C3%A9"]);
}

#[test]
fn redirects_become_requests_that_carry_on() {
    for status in [301, 302, 303, 307, 308] {
        let mut request = get("http://h/a");
        request.label = "x".into();
        request.depth = 4;
        let reply = response(status, &[("location", "../b?c#d")], "");
        let parsed = parser(LinkSpider).parse(fetched(request, Ok(reply)));
        assert_eq!(verdict(&parsed), Verdict::Redirected);
        assert_eq!(parsed.record.redirect, Some(url("http://h/b?c")));
        let hop = &parsed.found[0].request;
        assert_eq!((hop.depth, &*hop.label), (4, "x"));
        assert_eq!(hop.chain, [url("http://h/a")]);
    }
}

#[test]
fn a_redirect_to_a_known_url_finds_nothing() {
    let parser = parser_with(LinkSpider, ParseConfig::default(), &["http://h/b"]);
    let parsed =
        parser.parse(fetched(get("http://h/a"), Ok(response(301, &[("location", "/b")], ""))));
    assert_eq!((verdict(&parsed), parsed.found.len()), (Verdict::Redirected, 0));
    assert_eq!(parsed.record.redirect, Some(url("http://h/b")));
}

#[test]
fn bad_redirects_have_their_verdicts() {
    let check = |chain: &[&str], location: &str, expected: Verdict| {
        let mut request = get("http://h/a");
        request.chain = chain.iter().map(|text| url(text)).collect();
        let reply = response(302, &[("location", location)], "");
        let parsed = parser(LinkSpider).parse(fetched(request, Ok(reply)));
        assert_eq!((verdict(&parsed), parsed.found.len()), (expected, 0), "{location}");
        assert!(!parsed.record.error.is_empty());
    };
    check(&[], "/a", Verdict::RedirectLoop);
    check(&[], "#x", Verdict::RedirectLoop);
    check(&[], "/%61", Verdict::RedirectLoop);
    check(&["http://h/0"], "/0", Verdict::RedirectLoop);
    check(&["http://h/0", "http://h/1", "http://h/2"], "/3", Verdict::TooManyRedirects);
    check(&[], "mailto:x", Verdict::BadRedirect);
    check(&[], "http://[", Verdict::BadRedirect);
}

#[test]
fn a_form_that_redirects_to_its_own_page_is_no_loop() {
    let mut request = get("http://h/a");
    request.method = Method::Post;
    request.body = b"q".to_vec();
    let parsed =
        parser(LinkSpider).parse(fetched(request, Ok(response(303, &[("location", "/a")], ""))));
    assert_eq!(verdict(&parsed), Verdict::Redirected);
    assert_eq!(parsed.found[0].request.method, Method::Get);
    assert_eq!(parsed.found[0].print, Fingerprinter::new([1; 16]).get(&url("http://h/a")));
}

#[test]
fn a_hop_to_what_counts_as_a_url_of_its_chain_is_fetched_all_the_same() {
    let rules = KeyRules::new(&IdentityConfig::default()).unwrap();
    let prints = Fingerprinter::new([1; 16]).under(rules);
    let known = vec![prints.get(&url("http://h/a")), prints.get(&url("http://h/b"))];
    let view = Arc::new(Known(prints.clone(), known));
    let parser = Parser::new(ParseConfig::default(), 3, Arc::new(LinkSpider), view);
    let hops = |from: &str, chain: &[&str], to: &str| {
        let mut request = get(from);
        request.chain = chain.iter().map(|text| url(text)).collect();
        let parsed = parser.parse(fetched(request, Ok(response(302, &[("location", to)], ""))));
        assert_eq!(verdict(&parsed), Verdict::Redirected, "{from}");
        parsed.found
    };
    // A session that is forced on who comes without, and a check for cookies.
    let session = "http://h/a?PHPSESSID=1";
    for (from, chain) in [("http://h/a", &[][..]), ("http://h/cookies", &["http://h/a"])] {
        let found = hops(from, chain, session);
        assert_eq!(found[0].request.url, url(session));
        assert_ne!(found[0].print, prints.get(&url(session)));
    }
    assert_eq!(hops("http://h/a?utm_id=1", &[], "/a").len(), 1);
    assert!(hops("http://h/c", &[], "/b?utm_id=1").is_empty(), "its own page has its own end");
}
