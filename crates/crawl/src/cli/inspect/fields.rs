//! Names of fields, as they are written on the command line.
//!
//! A field that no row has lets nothing through and sorts nothing: who mistypes one would see an
//! empty table, so it is told beforehand, where rows have no other fields than those that are
//! known.

use crawl::store::inspect::{self, What};

use super::args::{InspectArgs, name_of};
use crate::cli::failure::{Exit, Failure};

/// Least likeness of two names for one to be taken for the other.
const ALIKE: f64 = 0.8;

/// Reads the name of a field.
pub(super) fn field(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("a field needs a name; `--json` shows which there are".to_owned()),
        name => Ok(name.to_owned()),
    }
}

/// Reads the name of a field to sort by, which may have a `-` before it.
pub(super) fn sort_field(text: &str) -> Result<String, String> {
    field(text.trim().strip_prefix('-').unwrap_or(text)).map(|_| text.trim().to_owned())
}

/// Fails if a field is asked of that the rows never have.
pub(super) fn check(args: &InspectArgs) -> Result<(), Failure> {
    let (what, shape) = (args.what.0, &args.shape);
    let Some(known) = inspect::fields(what) else { return Ok(()) };
    // Those on a timeline are on its pages; the store knows which of their fields it sums by.
    let conditions = args.conditions.iter().filter(|_| what != What::Timeline);
    let of_conditions = conditions.flat_map(|condition| condition.fields());
    let of_groups = shape.group_by.iter().chain(&shape.sum).map(String::as_str);
    of_conditions.chain(of_groups).try_for_each(|name| check_one(name, what, known))?;
    let sums: Vec<_> = shape.sum.iter().map(|name| format!("sum_{name}")).collect();
    let of_shape: Vec<&str> = shape.group_by.iter().chain(&sums).map(String::as_str).collect();
    let shown = match (shape.count, shape.group_by.is_empty()) {
        (true, _) => vec!["count"],
        (_, false) => [&of_shape[..], &["count"]].concat(),
        _ => known.to_vec(),
    };
    let of_sort = shape.sort.iter().map(|name| name.strip_prefix('-').unwrap_or(name));
    let mut names = of_sort.chain(args.form.columns.iter().map(String::as_str));
    names.try_for_each(|name| check_one(name, what, &shown))
}

fn check_one(name: &str, what: What, known: &[&str]) -> Result<(), Failure> {
    // A dot leads into a field, unless one is called so as a whole.
    let first = name.split('.').next().unwrap_or(name);
    if known.contains(&name) || known.contains(&first) {
        return Ok(());
    }
    let nearest = known
        .iter()
        .map(|known| (strsim::jaro_winkler(name, known), known))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let meant = nearest.map(|(_, name)| format!("did you mean `{name}`? ")).unwrap_or_default();
    let message = format!("rows of `{}` have no field `{name}` here", name_of(what));
    let hint = format!("{meant}There are: {}", known.join(", "));
    Err(Failure::new(Exit::Usage, message).hint(hint))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        args: InspectArgs,
    }

    #[track_caller]
    fn fails(args: &[&str], expected: &str) {
        let cli = Cli::try_parse_from(["inspect", "STORE"].iter().chain(args));
        let text = match cli {
            Err(error) => error.to_string(),
            Ok(cli) => check(&cli.args).err().map_or_else(String::new, |failure| failure.text()),
        };
        assert!(text.contains(expected) && text.is_empty() == expected.is_empty(), "{text}");
    }

    #[test]
    fn a_field_without_a_name_is_told() {
        fails(&["pages", "--sort", ""], "a field needs a name");
        fails(&["pages", "--sort=-"], "a field needs a name");
        fails(&["pages", "--columns", "n,,url"], "a field needs a name");
        fails(&["pages", "--sort", " -bytes"], "");
    }

    #[test]
    fn a_field_that_there_is_not_is_told_with_the_nearest() {
        fails(&["pages", "--where", "statsu=404"], "did you mean `status`?");
        fails(&["pages", "--sort=-byte"], "did you mean `bytes`?");
        fails(&["hosts", "--columns", "hots"], "did you mean `host`?");
        fails(&["urls", "--group-by", "verdicts"], "did you mean `verdict`?");
        fails(&["pages", "--group-by", "host", "--sort", "bytes"], "There are: host, count");
        fails(
            &["robots", "-w", "zzz"],
            "rows of `robots` have no field `zzz` here\nhint: There are",
        );
    }

    #[test]
    fn what_there_is_or_may_be_passes() {
        fails(&["pages", "-w", "timing.dns_us>3 and host~x", "--columns", "remote,body.file"], "");
        fails(&["items", "-w", "whatever=1", "--sort", "price"], "");
        let grouped = ["--group-by", "host,status", "--sum", "bytes", "--sort=-sum_bytes,host"];
        fails(&[&["pages"], &grouped[..]].concat(), "");
        fails(&["pages", "--count", "--columns", "count"], "");
    }
}
