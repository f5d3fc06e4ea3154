//! Tags that are put where they stand without a look at the rules are those of which no rule says
//! anything else: every tag is held against every other that is open around it.

use super::agrees;
use super::mutated::{Random, TAGS, n_cases};

/// Every tag in every other one, left open, closed, closed in the wrong order, and closed by its
/// neighbour; some with a block or a cell between the two, which hides one from the other.
#[test]
fn every_tag_in_every_other_one_agrees() {
    const BETWEEN: [&str; 8] = ["", "<b>", "<div>", "<p>", "<ul>", "<button>", "<object>", "<td>"];
    let mut tags = TAGS.to_vec();
    tags.sort_unstable();
    tags.dedup();
    let (mut told, mut n) = (0, 0);
    for (number, outer) in tags.iter().enumerate() {
        for (other, inner) in tags.iter().enumerate() {
            let between = BETWEEN[(number + 3 * other) % BETWEEN.len()];
            for html in [
                format!("<!doctype html><body><{outer}><{inner}>x"),
                format!("<!doctype html><body><{outer}>a<{inner}>b</{inner}>c</{outer}>d"),
                format!("<!doctype html><body><{outer}>{between}<{inner}>b</{inner}>c</{outer}>d"),
                format!("<{outer}>a<{inner}>b</{outer}>c</{inner}>d<{outer}>e"),
            ] {
                told += usize::from(agrees(&html).is_ok());
                n += 1;
            }
        }
    }
    println!("{told} of {n} told");
    assert!(told > n / 2, "only {told} of {n} were told");
}

/// The same three deep, at random.
#[test]
fn tags_three_deep_agree() {
    let (mut random, n) = (Random(0x3c6e_f372_fe94_f82b), n_cases(4000));
    let mut told = 0;
    for case in 0..n {
        let [a, b, c] = [(); 3].map(|()| random.pick(TAGS));
        let table = ["", "<table><tr><td>"][case % 2];
        let html = format!(
            "<!doctype html><body>{table}<{a}><{b}>1<{c}>2</{c}>3</{b}>4<{c}>5</{a}>6<{a}>7<{b}>8"
        );
        told += usize::from(agrees(&html).is_ok());
    }
    println!("{told} of {n} told");
    assert!(told > n / 3, "only {told} of {n} were told");
}

#[test]
fn each_rule_that_is_passed_over_holds() {
    for html in [
        // A paragraph in button scope is closed by a block, by another one and by a heading.
        "<p>1<div>2</div>3<p>4<h1>5</h1>6",
        "<p>1<button><p>2<div>3</div></button>4<div>5",
        "<p>1<object><div>2</div></object>3<ul>4</ul>5",
        "<p>1<span>2<div>3</div></span>4<hr>5",
        // Items close those before them, unless something special is between.
        "<ul><li>1<li>2<ul><li>3</ul><li>4</ul>",
        "<ul><li>1<div><li>2<p><li>3<address><li>4<section><li>5</ul>",
        "<dl><dt>1<dd>2<div><dt>3<dl><dd>4</dl><dd>5</dl>",
        // A form whose element is taken off the stack early hides nothing any more.
        "<ul><li>1<form><div>2</form><li>3</div></ul><form>4</form>",
        // One link in another, but not in a cell; a `nobr` in another.
        "<a href=1>1<table><tr><td><a href=2>2</a></table></a><a href=3>3</a>",
        "<object><a href=1>1</a></object><nobr>1<object><nobr>2</nobr></object></nobr>",
        // Headings, buttons, selects, options, ruby.
        "<h1>1<h2>2</h2><div><h3>3</h3></div><button>4<button>5</button>",
        "<select><option>1<option>2<optgroup><option>3<hr><option>4</select><option>5<option>6",
        "<select>1<input>2<select>3</select>4",
        "<ruby>1<rb>2<rt>3<rtc>4<rt>5<rp>6</ruby><rt>7<rb>8",
        // Formatting elements that were cut off are reopened, whoever comes next.
        "<p><b>1<p>2<i>3</i></b><p>4<span>5</span>",
        "<div><b><i>1</div>2<span>3</span></i></b>",
        "<b class=a><b class=a><b class=a><b class=a>1</b></b></b></b>2",
        // End tags that are written unusually, and long and unknown names.
        "<DIV>1</dIv >2<div>3</div\n>4<blockquote>5</blockquote><x-y>6</X-Y>7<article>8</article a=b>",
        "<div>1</divs>2</div><span>3</spa>4</span><p>5</p",
        // Foreign elements follow their own rules, templates tell nothing.
        "<p>1<svg><p>2</svg>3<svg><desc><p>4</desc></svg><math><mi><p>5</mi></math>6",
        "<p>1<template><p>2<a href=x></template><div>3",
        // A line feed behind `pre`, and as a reference.
        "<pre>\n1</pre><pre><b>\n2</b></pre><textarea>\n3</textarea>",
    ] {
        let html = format!("<!doctype html><body>{html}");
        assert!(agrees(&html).is_ok(), "{html}");
    }
}
