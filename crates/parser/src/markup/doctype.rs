//! Whether a doctype switches on quirks mode, in which tables stand in paragraphs and classes match
//! in any case (HTML Standard, section 13.2.6.4.1).

use super::split::is_blank;

/// Whether a document with this doctype (what stands between `<!doctype` and `>`) is in quirks
/// mode; `None` if it has none.
pub(crate) fn is_quirky(doctype: Option<&str>) -> bool {
    let Some(doctype) = doctype else { return true };
    match read(doctype) {
        Some(Doctype { name, .. }) if !name.eq_ignore_ascii_case("html") => true,
        Some(Doctype { public, system, .. }) => ids_are_quirky(public, system),
        None => true, // malformed
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Doctype<'a> {
    name: &'a str,
    public: Option<&'a str>,
    system: Option<&'a str>,
}

/// Sections 13.2.5.53 to 68; `None` if it is malformed so that quirks are forced.
fn read(doctype: &str) -> Option<Doctype<'_>> {
    let rest = skip_blank(doctype);
    let len = rest.bytes().position(is_blank).unwrap_or(rest.len());
    let (name, rest) = rest.split_at(len);
    let rest = skip_blank(rest);
    if name.is_empty() {
        return None;
    }
    if rest.is_empty() {
        return Some(Doctype { name, public: None, system: None });
    }
    let (keyword, rest) = rest.split_at_checked("public".len())?;
    if keyword.eq_ignore_ascii_case("public") {
        let (public, rest) = id(rest)?;
        let rest = skip_blank(rest);
        let (system, _) = if rest.is_empty() { (None, rest) } else { opt(id(rest)?) };
        Some(Doctype { name, public: Some(public), system })
    } else if keyword.eq_ignore_ascii_case("system") {
        let (system, _) = id(rest)?;
        Some(Doctype { name, public: None, system: Some(system) })
    } else {
        None
    }
}

fn opt<'a>((id, rest): (&'a str, &'a str)) -> (Option<&'a str>, &'a str) {
    (Some(id), rest)
}

/// A quoted identifier and what follows it.
fn id(rest: &str) -> Option<(&str, &str)> {
    let rest = skip_blank(rest);
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    rest[1..].split_once(quote)
}

fn skip_blank(text: &str) -> &str {
    text.trim_start_matches(|c: char| u8::try_from(c).is_ok_and(is_blank))
}

fn ids_are_quirky(public: Option<&str>, system: Option<&str>) -> bool {
    let has_prefix = |prefixes: &[&str]| {
        let starts = |prefix: &&str| {
            let head = public.and_then(|public| public.get(..prefix.len()));
            head.is_some_and(|head| head.eq_ignore_ascii_case(prefix))
        };
        prefixes.iter().any(starts)
    };
    let is_one_of = |id: Option<&str>, ids: &[&str]| {
        id.is_some_and(|id| ids.iter().any(|known| id.eq_ignore_ascii_case(known)))
    };
    is_one_of(public, &QUIRKY_PUBLIC_IDS)
        || is_one_of(system, &["http://www.ibm.com/data/dtd/v11/ibmxhtml1-transitional.dtd"])
        || has_prefix(&QUIRKY_PUBLIC_PREFIXES)
        || (system.is_none() && has_prefix(&QUIRKY_PREFIXES_WITHOUT_SYSTEM_ID))
}

const QUIRKY_PUBLIC_IDS: [&str; 3] =
    ["-//W3O//DTD W3 HTML Strict 3.0//EN//", "-/W3C/DTD HTML 4.0 Transitional/EN", "HTML"];

const QUIRKY_PREFIXES_WITHOUT_SYSTEM_ID: [&str; 2] =
    ["-//W3C//DTD HTML 4.01 Frameset//", "-//W3C//DTD HTML 4.01 Transitional//"];

const QUIRKY_PUBLIC_PREFIXES: [&str; 54] = [
    "-//AdvaSoft Ltd//DTD HTML 3.0 asWedit + extensions//",
    "-//AS//DTD HTML 3.0 asWedit + extensions//",
    "-//IETF//DTD HTML 2.0 Level 1//",
    "-//IETF//DTD HTML 2.0 Level 2//",
    "-//IETF//DTD HTML 2.0 Strict Level 1//",
    "-//IETF//DTD HTML 2.0 Strict Level 2//",
    "-//IETF//DTD HTML 2.0 Strict//",
    "-//IETF//DTD HTML 2.0//",
    "-//IETF//DTD HTML 2.1E//",
    "-//IETF//DTD HTML 3.0//",
    "-//IETF//DTD HTML 3.2 Final//",
    "-//IETF//DTD HTML 3.2//",
    "-//IETF//DTD HTML 3//",
    "-//IETF//DTD HTML Level 0//",
    "-//IETF//DTD HTML Level 1//",
    "-//IETF//DTD HTML Level 2//",
    "-//IETF//DTD HTML Level 3//",
    "-//IETF//DTD HTML Strict Level 0//",
    "-//IETF//DTD HTML Strict Level 1//",
    "-//IETF//DTD HTML Strict Level 2//",
    "-//IETF//DTD HTML Strict Level 3//",
    "-//IETF//DTD HTML Strict//",
    "-//IETF//DTD HTML//",
    "-//Metrius//DTD Metrius Presentational//",
    "-//Microsoft//DTD Internet Explorer 2.0 HTML Strict//",
    "-//Microsoft//DTD Internet Explorer 2.0 HTML//",
    "-//Microsoft//DTD Internet Explorer 2.0 Tables//",
    "-//Microsoft//DTD Internet Explorer 3.0 HTML Strict//",
    "-//Microsoft//DTD Internet Explorer 3.0 HTML//",
    "-//Microsoft//DTD Internet Explorer 3.0 Tables//",
    "-//Netscape Comm. Corp.//DTD HTML//",
    "-//Netscape Comm. Corp.//DTD Strict HTML//",
    "-//O'Reilly and Associates//DTD HTML 2.0//",
    "-//O'Reilly and Associates//DTD HTML Extended 1.0//",
    "-//O'Reilly and Associates//DTD HTML Extended Relaxed 1.0//",
    "-//SoftQuad Software//DTD HoTMetaL PRO 6.0::19990601::extensions to HTML 4.0//",
    "-//SoftQuad//DTD HoTMetaL PRO 4.0::19971010::extensions to HTML 4.0//",
    "-//Spyglass//DTD HTML 2.0 Extended//",
    "-//SQ//DTD HTML 2.0 HoTMetaL + extensions//",
    "-//Sun Microsystems Corp.//DTD HotJava HTML//",
    "-//Sun Microsystems Corp.//DTD HotJava Strict HTML//",
    "-//W3C//DTD HTML 3 1995-03-24//",
    "-//W3C//DTD HTML 3.2 Draft//",
    "-//W3C//DTD HTML 3.2 Final//",
    "-//W3C//DTD HTML 3.2//",
    "-//W3C//DTD HTML 3.2S Draft//",
    "-//W3C//DTD HTML 4.0 Frameset//",
    "-//W3C//DTD HTML 4.0 Transitional//",
    "-//W3C//DTD HTML Experimental 19960712//",
    "-//W3C//DTD HTML Experimental 970421//",
    "-//W3C//DTD W3 HTML//",
    "-//W3O//DTD W3 HTML 3.0//",
    "-//WebTechs//DTD Mozilla HTML 2.0//",
    "-//WebTechs//DTD Mozilla HTML//",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dom::Dom;

    #[test]
    fn doctypes_mean_what_they_mean_to_the_tree_builder() {
        let mut doctypes = vec![
            String::new(),
            " html".into(),
            "html".into(),
            " HTML ".into(),
            "\r\nhtml\t".into(),
            " svg".into(),
            " html public".into(),
            " html PUBLIC ''".into(),
            " html PUBLIC'a'\"b\"".into(),
            " html PUBLIC 'a' b".into(),
            " html PUBLIC 'a".into(),
            " html PUBLIC 'a' 'b".into(),
            " html SYSTEM 'about:legacy-compat'".into(),
            " html SYSTEM 'a' b".into(),
            " html SYSTEM".into(),
            " html x".into(),
            " html publik 'a'".into(),
            " html PUBLIC 'html'".into(),
            " html é".into(),
            " html SYSTEM 'http://www.IBM.com/data/dtd/v11/ibmxhtml1-transitional.dtd'".into(),
            " html PUBLIC '-//W3C//DTD XHTML 1.0 Transitional//EN' 'x'".into(),
            " html PUBLIC '-//W3C//DTD XHTML 1.0 Strict//EN'".into(),
        ];
        let prefixes = QUIRKY_PUBLIC_PREFIXES.iter().chain(&QUIRKY_PREFIXES_WITHOUT_SYSTEM_ID);
        for id in prefixes.chain(&QUIRKY_PUBLIC_IDS) {
            doctypes.push(format!(" html PUBLIC \"{id}\""));
            doctypes.push(format!(" html PUBLIC \"{}EN\" 'x'", id.to_lowercase()));
            doctypes.push(format!(" html PUBLIC \"x{id}\""));
        }
        for doctype in doctypes {
            let dom = Dom::html(&format!("<!doctype{doctype}><p>"), &[]);
            assert_eq!(is_quirky(Some(&doctype)), dom.is_quirky(), "{doctype:?}");
        }
        assert!(is_quirky(None) && Dom::html("<p>", &[]).is_quirky());
    }
}
