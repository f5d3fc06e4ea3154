//! What differs between two texts, line by line.

use std::fmt::Write as _;

/// Lines around a difference that are shown.
const CONTEXT: usize = 3;
/// Most lines that are compared one with another; of more the middle is shown as changed.
const MAX_LINES: usize = 2000;
/// Most lines of the answer.
const MAX_SHOWN: usize = 200;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Same,
    Old,
    New,
}

/// The lines that differ with some around them; `-` before those of `old`, `+` before those of
/// `new`.
pub(crate) fn diff(old: &str, new: &str) -> String {
    let (old, new): (Vec<_>, Vec<_>) = (old.lines().collect(), new.lines().collect());
    let lines = compare(&old, &new);
    let mut out = String::new();
    let is_near = |at: usize| {
        let around = lines[at.saturating_sub(CONTEXT)..(at + CONTEXT + 1).min(lines.len())].iter();
        around.into_iter().any(|(mark, _)| *mark != Mark::Same)
    };
    let (mut gap, mut n_shown) = (false, 0);
    for (at, (mark, line)) in lines.iter().enumerate() {
        if !is_near(at) {
            gap = true;
            continue;
        }
        if n_shown == MAX_SHOWN {
            out.push_str("  ...\n");
            break;
        }
        if std::mem::take(&mut gap) {
            out.push_str("  ...\n");
        }
        let mark = match mark {
            Mark::Same => ' ',
            Mark::Old => '-',
            Mark::New => '+',
        };
        n_shown += 1;
        // A string takes all that is written to it.
        let _ = writeln!(out, "{mark} {line}");
    }
    out
}

fn compare<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<(Mark, &'a str)> {
    let n_before = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (&old[n_before..], &new[n_before..]);
    let n_after =
        old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(a, b)| a == b).count();
    let (a, b) = (&old_rest[..old_rest.len() - n_after], &new_rest[..new_rest.len() - n_after]);
    let mut lines: Vec<_> = old[..n_before].iter().map(|line| (Mark::Same, *line)).collect();
    if a.len() > MAX_LINES || b.len() > MAX_LINES {
        lines.extend(a.iter().map(|line| (Mark::Old, *line)));
        lines.extend(b.iter().map(|line| (Mark::New, *line)));
    } else {
        middle(a, b, &mut lines);
    }
    lines.extend(old[old.len() - n_after..].iter().map(|line| (Mark::Same, *line)));
    lines
}

/// By the longest common subsequence.
fn middle<'a>(a: &[&'a str], b: &[&'a str], lines: &mut Vec<(Mark, &'a str)>) {
    let width = b.len() + 1;
    // The length of what `a[i..]` and `b[j..]` have in common.
    let mut common = vec![0_u16; (a.len() + 1) * width];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            common[i * width + j] = match a[i] == b[j] {
                true => common[(i + 1) * width + j + 1] + 1,
                false => common[(i + 1) * width + j].max(common[i * width + j + 1]),
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i] == b[j] {
            lines.push((Mark::Same, a[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == b.len()
            || (i < a.len() && common[(i + 1) * width + j] >= common[i * width + j + 1])
        {
            lines.push((Mark::Old, a[i]));
            i += 1;
        } else {
            lines.push((Mark::New, b[j]));
            j += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_shown_with_a_little_around() {
        let old: Vec<_> = (0..30).map(|n| n.to_string()).collect();
        let mut new = old.clone();
        new[10] = "ten".into();
        new.insert(20, "x".into());
        assert_eq!(
            diff(&old.join("\n"), &new.join("\n")),
            "  ...\n  7\n  8\n  9\n- 10\n+ ten\n  11\n  12\n  13\n  ...\n  17\n  18\n  19\n+ x\n  20\n  21\n  22\n"
        );
        assert_eq!(diff("a\nb", "a\nb"), "");
        assert_eq!(diff("", "a"), "+ a\n");
        assert_eq!(diff("a", ""), "- a\n");
    }

    #[test]
    fn large_differences_are_cut() {
        let old = "a\n".repeat(5000);
        let new = "b\n".repeat(5000);
        let diff = diff(&old, &new);
        assert!(diff.ends_with("  ...\n") && diff.lines().count() == MAX_SHOWN + 1);
    }
}
