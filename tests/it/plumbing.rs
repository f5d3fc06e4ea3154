//! The plumbing commands as scripts use them: what goes in, what comes out, exit codes.

use std::io::Write;
use std::process::{Output, Stdio};

use crawl_testsite::{Bookshop, TestSite};
use serde_json::{Value, json};

use crate::support::{Scratch, crawl, finish, stderr};

/// Runs the binary with bytes on its standard input.
fn fed(args: &[&str], input: impl AsRef<[u8]>) -> Output {
    let mut command = crawl(args);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.as_ref().to_vec();
    // A thread of its own: a child that writes before it has read all must not wait for us.
    let feeder = std::thread::spawn(move || stdin.write_all(&input));
    let output = finish(child);
    let _ = feeder.join();
    output
}

/// The lines that the binary prints; it must end well.
#[track_caller]
fn lines(args: &[&str], input: impl AsRef<[u8]>) -> Vec<Value> {
    let output = fed(args, input);
    assert!(output.status.success(), "{args:?}: {}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[track_caller]
fn exits(args: &[&str], input: &str, code: i32, says: &str) {
    let output = fed(args, input);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {}", stderr(&output));
    assert!(stderr(&output).contains(says), "{args:?}: {}", stderr(&output));
    assert!(output.stdout.is_empty());
}

#[test]
fn urls_are_normalised_from_arguments_and_from_lines() {
    let line = |input: &str, url: &str, key: &str| json!({ "input": input, "url": url, "key": key, "error": null });
    assert_eq!(
        lines(&["url", "normalize", "--base", "http://h/a/b", "../c#f", "HTTP://H:80/%7e"], ""),
        [
            line("../c#f", "http://h/c", "http://h/c"),
            line("HTTP://H:80/%7e", "http://h/%7e", "http://h/~"),
        ]
    );
    let many = lines(&["url", "normalize"], "http://h/é\r\nmailto:a@b\n\nhttp://h/\n");
    assert_eq!(many.len(), 4);
    assert_eq!(many[0]["url"], "http://h/%C3%A9");
    assert_eq!((&many[1]["url"], &many[1]["key"]), (&Value::Null, &Value::Null));
    assert!(many[1]["error"].is_string() && many[2]["error"].is_string());
    let input = "{\"url\":\"///o/p\",\"base\":\"http://h/\"}\n{\"url\":\"x\",\"base\":null}\nno\n";
    let json = lines(&["url", "normalize", "--json"], input);
    assert_eq!(json[0], line("///o/p", "http://o/p", "http://o/p"));
    assert!(json[1]["error"].is_string() && json[2]["error"].is_string());
    assert_eq!(json[2]["input"], "no");
    let dashed = lines(&["url", "normalize", "--base", "http://h/", "--", "--x"], "");
    assert_eq!(dashed[0]["url"], "http://h/--x");
}

#[test]
fn links_keep_their_fragments_and_their_order() {
    let html = "<meta http-equiv=refresh content='1;url=/r'><p><a href=a#f rel='Nofollow x'>a <b>b</b></a>\
                <a href=a#f></a><a href='http://['>no</a><template><a href=t></template>";
    let rows = lines(&["links", "--base", "http://h/d/", "-"], html);
    let row = |url, text, rel: &[&str], tag, attr, nofollow| json!({ "url": url, "text": text, "rel": rel, "tag": tag, "attr": attr, "nofollow": nofollow });
    assert_eq!(
        rows,
        [
            row("http://h/r", "", &[], "meta", "content", false),
            row("http://h/d/a#f", "a b", &["Nofollow", "x"], "a", "href", true),
            row("http://h/d/a#f", "", &[], "a", "href", false),
        ]
    );
}

#[test]
fn sitemaps_and_feeds_give_their_entries() {
    let xml = "<urlset><url><loc>/a</loc><lastmod>2020-01-01</lastmod><priority>0.5</priority></url>\
               <url><loc>mailto:x</loc></url></urlset>";
    assert_eq!(
        lines(&["sitemap", "--base", "http://h/s.xml", "-"], xml),
        [
            json!({ "loc": "http://h/a", "lastmod": "2020-01-01", "changefreq": null, "priority": 0.5, "kind": "url" })
        ]
    );
    let mut gzip = std::process::Command::new("gzip")
        .arg("-c")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let index = b"<sitemapindex><sitemap><loc>http://h/1.xml</loc></sitemap></sitemapindex>";
    gzip.stdin.take().unwrap().write_all(index).unwrap();
    let packed = gzip.wait_with_output().unwrap().stdout;
    let rows = lines(&["sitemap", "--base", "http://h/", "-"], packed);
    assert_eq!((rows.len(), &rows[0]["kind"]), (1, &json!("sitemap")));
}

#[test]
fn bytes_are_decoded() {
    let decoded = |args: &[&str], bytes: &[u8]| lines(args, bytes)[0].clone();
    let html = ["decode", "--content-type", "text/html", "-"];
    assert_eq!(
        decoded(&html, b"<meta charset=koi8-r>\xc1"),
        json!({ "encoding": "koi8-r", "text": "<meta charset=koi8-r>\u{430}" })
    );
    assert_eq!(decoded(&html, b"\xef\xbb\xbfx"), json!({ "encoding": "utf-8", "text": "x" }));
    assert_eq!(decoded(&html, b"\xe9"), json!({ "encoding": "windows-1252", "text": "\u{e9}" }));
}

#[test]
fn selectors_and_xpath_find_the_same() {
    let html = "<ul><li class=a id=x>1<li><a href=/l title=t>2 <b>3</b></a></ul>";
    let css =
        |css: &str, more: &[&str]| lines(&[&["select", "--css", css], more, &["-"]].concat(), html);
    let xpath = |xpath: &str, more: &[&str]| {
        lines(&[&["select", "--xpath", xpath], more, &["-"]].concat(), html)
    };
    let row = |value: Value, tag: Value| json!({ "value": value, "tag": tag });
    let b = [row(json!("<b>3</b>"), json!("b"))];
    assert_eq!((css("li > a b", &[]), xpath("//li/a/b", &[])), (b.to_vec(), b.to_vec()));
    let text = [row(json!("1"), json!("li")), row(json!("2 3"), json!("li"))];
    assert_eq!(
        (css("li", &["--text"]), xpath("//li", &["--text"])),
        (text.to_vec(), text.to_vec())
    );
    let class = [row(json!("a"), json!("li")), row(Value::Null, json!("li"))];
    assert_eq!(css("li", &["--attr", "class"]), class);
    let href = [row(json!("/l"), Value::Null)];
    assert_eq!(
        (css("a::attr(href)", &[]), xpath("//a/@href", &[])),
        (href.to_vec(), href.to_vec())
    );
    assert_eq!(css("li:first-child::text", &[]), [row(json!("1"), Value::Null)]);
    assert_eq!(xpath("count(//li)", &[]), [row(json!(2), Value::Null)]);
    assert_eq!(xpath("string(//b)", &[]), [row(json!("3"), Value::Null)]);
    assert_eq!(xpath("//li = '1'", &[]), [row(json!(true), Value::Null)]);
    let markdown = css("li:last-child", &["--markdown", "--base", "http://h/"]);
    assert!(markdown[0]["value"].as_str().unwrap().contains("http://h/l"), "{markdown:?}");
    assert!(css("nothing", &[]).is_empty());
}

#[test]
fn a_robots_txt_is_asked_about_urls() {
    let scratch = Scratch::new();
    let text = "\u{feff}User-agent: a\nCrawl-delay: 1.5\nUser-agent: b\rDisallow: /x\r\n\
                Disallow: /caf\u{e9}\nDisallow: /*.gif$\nuser-agent *\nDisallow: /\nCrawl-delay: 5\n";
    let file = scratch.write("robots.txt", text);
    let row = |url: &str, allowed: bool, delay: Value| json!({ "url": url, "allowed": allowed, "crawl_delay": delay });
    let urls = ["http://h/x?y", "/caf%C3%A9", "/y#f", "https://h:8/a.gif", "/a.gif?", "http://h"];
    let asked = |agent: &str| {
        lines(&[&["robots", "--file", &file, "--agent", agent], &urls[..]].concat(), "")
    };
    let expected: Vec<Value> = [false, false, true, false, true, true]
        .iter()
        .zip(urls)
        .map(|(allowed, url)| row(url, *allowed, json!(1.5)))
        .collect();
    assert_eq!(asked("B"), expected);
    assert_eq!(asked("a"), expected);
    assert!(asked("ab").iter().all(|row| row["allowed"] == false && row["crawl_delay"] == 5));
    let from_stdin =
        lines(&["robots", "--file", &file, "--agent", "*", "-"], "/robots.txt\r\nno\n/é");
    assert_eq!(from_stdin[0], row("/robots.txt", true, json!(5)));
    assert_eq!(from_stdin[2], row("/é", false, json!(5)));
    assert_eq!((&from_stdin[1]["url"], &from_stdin[1]["allowed"]), (&json!("no"), &Value::Null));
    assert!(from_stdin[1]["error"].as_str().unwrap().contains("absolute"));
    let none =
        lines(&["robots", "--file", "-", "--agent", "-x", "--", "/a", "--b", "mailto:c"], "");
    assert_eq!(none[0], row("/a", true, Value::Null));
    assert!(none[1]["error"].is_string() && none[2]["error"].is_string());
}

#[test]
fn a_robots_txt_names_its_sitemaps() {
    let text = b"Sitemap: /b.xml\nUser-agent: a\nSITEMAP: http://H:80/a.xml\nsite-map http://h/b.xml\n\
                 Sitemap: http://h/a.xml\nSitemap: http://[\nSitemap: \xff\nSitemap:\nSitemap: HTTP://o/\xc3\xa9 # x\n";
    let list = |args: &[&str]| -> Vec<Value> {
        lines(&[&["robots", "--file", "-", "--sitemaps"], args].concat(), text)
    };
    let based = list(&["--base", "http://h/robots.txt"]);
    let urls: Vec<_> = based.iter().map(|row| &row["sitemap"]).collect();
    assert_eq!(
        urls,
        [
            &json!("http://h/b.xml"),
            &json!("http://h/a.xml"),
            &Value::Null,
            &json!("http://o/%C3%A9")
        ]
    );
    assert_eq!(based[0], json!({ "sitemap": "http://h/b.xml" }));
    assert!(based[2]["error"].as_str().unwrap().contains("http://["), "{based:?}");
    let written = list(&[]);
    assert_eq!((written.len(), &written[0]), (6, &json!({ "sitemap": "/b.xml" })));
}

#[test]
fn mistakes_have_their_exit_codes() {
    exits(&["robots", "--file", "-", "/x"], "", 2, "--agent");
    exits(&["robots", "--file", "-", "--agent", "a"], "", 2, "URL");
    exits(&["robots", "--agent", "a", "/x"], "", 2, "--file");
    exits(&["robots", "--file", "-", "--agent", "/", "/x"], "", 2, "product token");
    exits(&["robots", "--file", "-", "--agent", "a", "-"], "", 2, "standard input");
    exits(&["robots", "--file", "-", "--sitemaps", "/x"], "", 2, "--sitemaps");
    exits(&["robots", "--file", "-", "--sitemaps", "--base", "x"], "", 2, "--base");
    exits(&["robots", "--file", "/", "--agent", "a", "/x"], "", 1, "/");
    exits(&["select", "--css", "a >", "-"], "", 2, "a >");
    exits(&["select", "--xpath", "//a[", "-"], "", 2, "//a[");
    exits(&["select", "-"], "", 2, "--css");
    exits(&["links", "-"], "", 2, "--base");
    exits(&["links", "--base", "no url", "-"], "", 2, "no url");
    exits(&["url", "normalise"], "", 2, "normalize");
    exits(&["decode", "/nonexistent/file"], "", 1, "/nonexistent/file");
    exits(&["sitemap", "--base", "http://h/", "/"], "", 1, "/");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_fetched_as_a_crawl_would() {
    let site = TestSite::builder().bookshop(Bookshop { books: 30, ..Bookshop::default() });
    let site = site.start().await;
    let scratch = Scratch::new();
    let config = scratch.write(
        "fetch.toml",
        &format!(
            "[fetch]\nallow-private-addresses = true\nresolve = {{ \"books.test\" = \"{}\" }}\n\
             [politeness]\ndelay = \"0s\"\n",
            site.addr
        ),
    );
    let select = |url: &str, more: &[&str]| {
        let args = ["select", "--css", "h1::text", "--config", &config, url];
        let args = [&args[..], more].concat().into_iter().map(str::to_owned).collect::<Vec<_>>();
        tokio::task::spawn_blocking(move || {
            let args: Vec<_> = args.iter().map(String::as_str).collect();
            fed(&args, "")
        })
    };
    let book = select("http://books.test/old/100.html", &[]);
    let output = select("http://books.test/old/10.html", &[]).await.unwrap();
    drop(book.await);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && text.contains("\"value\""), "{}", stderr(&output));
    let forbidden = select("http://books.test/private/x", &[]).await.unwrap();
    assert_eq!(forbidden.status.code(), Some(1), "{}", stderr(&forbidden));
    assert!(stderr(&forbidden).contains("robots"), "{}", stderr(&forbidden));
    let private =
        select(&format!("http://{}/", site.addr), &["-s", "fetch.allow-private-addresses=false"]);
    let private = private.await.unwrap();
    assert_eq!(private.status.code(), Some(1));
    assert!(stderr(&private).contains("allow-private-addresses"), "{}", stderr(&private));
    let paths = site.requests();
    assert!(paths.iter().any(|path| path.contains("/robots.txt")), "{paths:?}");
    assert!(!paths.iter().any(|path| path.contains("/private")), "{paths:?}");
}
