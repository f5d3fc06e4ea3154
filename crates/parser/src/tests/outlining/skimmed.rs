//! What a skimmed document gives is what its tree says, or it gives nothing.

use super::mutated::{PAGES, Random, TAGS, mutate, n_cases, soup};
use super::{Dom, Kinds, RawLink, tree};
use crate::links::collect::{Collected, LinkTexts};
use crate::links::stream::skimmed;

/// Whether it could be skimmed; panics if that gives another thing than the tree.
#[track_caller]
pub(super) fn skims(html: &str) -> bool {
    let Ok(skim) = skimmed(html) else { return false };
    let dom = Dom::html(html, &[]);
    let tree = tree::collect(&dom, Kinds::default(), LinkTexts::None);
    assert_eq!(told(&skim), told(&tree), "{html:?}");
    true
}

/// All but the texts.
fn told(found: &Collected<'_>) -> String {
    let line = |link: &RawLink<'_>| {
        let nofollow = found.is_nofollow(link);
        format!("{} {:?} {:?} {:?} {nofollow}\n", link.tag, link.attr, link.href, link.rel)
    };
    let links: String = found.links.iter().map(line).collect();
    let Collected { bases, nofollow, robots, refresh, title, .. } = found;
    format!("{links}{bases:?} {nofollow} {robots:?} {refresh:?} {title:?}")
}

#[test]
fn any_soup_of_tags_that_skims_agrees() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let (mut told, n) = (0, n_cases(4000));
    for case in 0..n {
        let len = 3 + random.next(8);
        let tags: Vec<_> = (0..len).map(|_| random.pick(TAGS)).collect();
        told += usize::from(skims(&soup(&mut random, &tags, 2 + case % 20)));
    }
    println!("{told} of {n} skimmed");
    assert!(told > n / 50, "only {told} of {n} were skimmed");
}

#[test]
fn mutated_pages_that_skim_agree() {
    let mut random = Random(0x9e6c_63d0_876a_5b8d);
    let (mut told, n) = (0, n_cases(1000));
    for case in 0..n {
        told += usize::from(skims(&mutate(PAGES[case % PAGES.len()], &mut random)));
    }
    println!("{told} of {n} skimmed");
}

#[test]
fn well_made_pages_skim() {
    let list = include_str!("../../../../../benches/parts/list.html");
    assert!(skims(list));
    for html in [
        "<!doctype html><title>a &amp; b</title><base href=/x/><a href=1><div><h2>T</h2><p>x</div></a>",
        "<a href=1><div><h2>T</h2><p>x</p></div></a><p>one<p>two <a href=2>x</a>",
        "<table><tr><td><a href=1>x</a><td><table><tbody><tr><th><a href=2>y</a></table></table>",
        "<svg viewBox='0 0 1 1'><title>a</title><path d='M1'/></svg><title>b</title>",
        "<script>'<a href=x>'</script x='>'><a href=1><script>'</a>'</script>x</a>",
        "<textarea><a href=x></textarea><textareas><a href=1>x</a></textareas>",
        "<select><option>1<option selected>2</select><a rel=nofollow href=1>x</a>",
        "<meta name=robots content=nofollow><meta http-equiv=refresh content='1;url=x'><map><area href=y></map>",
        "<a data-x=\"a>b\" href='1'>x</a><a href=2 title=it's>y</a><a href=\"3\"title=x>z</a><a href=4",
        "<button><p>x</p></button><p>x<br><a href=1><b>x</b><img alt='>'></a></p>",
    ] {
        let is_sure = !html.starts_with("<!doctype html>");
        assert_eq!(skims(html), is_sure, "{html}");
    }
}

#[test]
fn where_rules_make_other_links_nothing_is_told() {
    for html in [
        "<a href=1><p>x</a>y</p>",
        "<p><a href=1>x<div>y</div></a></p>",
        "<div><a href=1>x</div>y",
        "<a href=1>x<a href=2>y</a>",
        "<table><a href=1>x</a><tr><td>y</table>",
        "<template><a href=1>x</a></template>",
        "<select><a href=1>x</a></select>",
        "<svg><a xlink:href=1>x</a></svg>",
        "<svg><![CDATA[<a href=1>]]></svg>",
        "<svg/><a href=1>x</a>",
        "<noscript><meta http-equiv=refresh content='1;url=x'></noscript>",
        "<plaintext><a href=1>",
        "<frameset><frame></frameset><a href=1>",
    ] {
        assert!(skimmed(html).is_err(), "{html}");
    }
}
