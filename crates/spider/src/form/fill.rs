//! Filling a form in, as a person would: what is not there cannot be chosen, unless forced.

use std::collections::BTreeSet;

use super::{Field, FieldKind, Form, FormError};

/// Names that an error lists.
const MAX_LISTED: usize = 20;

/// Longest name, in bytes, that is compared with others to find a close one.
const MAX_COMPARED: usize = 64;

impl Form<'_> {
    /// Sets a field: writes the value, or chooses it.
    ///
    /// - Of fields that take any value the first of the name is written; others of that name stay
    ///   as they are ([`set_all`](Self::set_all) sets them, too).
    /// - Of radio buttons, check boxes and selects the value is chosen, and no other of that name.
    /// - If both are there (a hidden `0` before a check box `1`, say), a value that cannot be
    ///   chosen is written, and nothing is chosen.
    ///
    /// # Errors
    /// [`FormError`] if there is no such field or it cannot take the value; it names what there is.
    pub fn set(&mut self, name: &str, value: impl Into<String>) -> Result<&mut Self, FormError> {
        self.set_all(name, [value])
    }

    /// Sets all fields of a name to these values: boxes and options are chosen, what can only be
    /// written goes into the fields of that name, one after the other. Further such fields stay
    /// as they are; if there are too few, fields are added.
    ///
    /// # Errors
    /// As for [`set`](Self::set).
    pub fn set_all(
        &mut self,
        name: &str,
        values: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<&mut Self, FormError> {
        let values: Vec<String> = values.into_iter().map(Into::into).collect();
        self.usable(name)?;
        let (choices, rest): (Vec<String>, Vec<String>) =
            values.into_iter().partition(|value| self.offers(name, value));
        let has_text = self.named(name).any(|field| takes_text(field) && !field.disabled);
        if let Some(value) = rest.first().filter(|_| !has_text) {
            return Err(self.refusal(name, value));
        }
        self.choose(name, &choices);
        self.write(name, rest);
        Ok(self)
    }

    /// Checks or unchecks the check boxes of a name, whatever their values.
    ///
    /// # Errors
    /// [`FormError`] if there is none.
    pub fn check(&mut self, name: &str, on: bool) -> Result<&mut Self, FormError> {
        self.usable(name)?;
        let mut n = 0;
        for field in self.named_mut(name).filter(|field| field.kind == FieldKind::Checkbox) {
            field.chosen = on;
            n += 1;
        }
        if n == 0 {
            return Err(FormError::NotACheckbox { name: name.to_owned() });
        }
        Ok(self)
    }

    /// Sends this value for the name and nothing else, whatever the form says: what a script of
    /// the page could do. A name that the form has not is added at its end.
    pub fn force(&mut self, name: &str, value: impl Into<String>) -> &mut Self {
        let place = self.parts.fields.iter().position(|field| field.name == name);
        self.parts.fields.retain(|field| field.name != name);
        let field = added(name, value.into());
        self.parts.fields.insert(place.unwrap_or(self.parts.fields.len()), field);
        self
    }

    /// Sends nothing for the name, whatever the form says.
    pub fn remove(&mut self, name: &str) -> &mut Self {
        self.parts.fields.retain(|field| field.name != name);
        self
    }

    fn named<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s Field> {
        self.parts.fields.iter().filter(move |field| field.name == name)
    }

    fn named_mut<'s>(&'s mut self, name: &'s str) -> impl Iterator<Item = &'s mut Field> {
        self.parts.fields.iter_mut().filter(move |field| field.name == name)
    }

    /// Checks that there is a field of that name that can be set.
    fn usable(&self, name: &str) -> Result<(), FormError> {
        if self.field(name).is_none() {
            let names = self.parts.fields.iter().map(|field| field.name.as_str());
            return Err(FormError::UnknownField { name: name.to_owned(), hint: hint(name, names) });
        }
        if self.named(name).all(|field| field.disabled) {
            return Err(FormError::Disabled { name: name.to_owned() });
        }
        if self.named(name).all(|field| field.kind == FieldKind::File) {
            return Err(FormError::File { name: name.to_owned() });
        }
        Ok(())
    }

    /// Whether the value can be chosen.
    fn offers(&self, name: &str, value: &str) -> bool {
        self.named(name).filter(|field| !field.disabled).any(|field| match field.kind {
            FieldKind::Checkbox | FieldKind::Radio => field.value == value,
            FieldKind::Select | FieldKind::SelectMultiple => {
                field.options.iter().any(|option| option.value == value && !option.disabled)
            }
            _ => false,
        })
    }

    fn refusal(&self, name: &str, value: &str) -> FormError {
        let mut values = Vec::new();
        let usable = self.named(name).filter(|field| field.kind.is_choice() && !field.disabled);
        for field in usable {
            match field.kind {
                FieldKind::Checkbox | FieldKind::Radio => values.push(field.value.as_str()),
                _ => {
                    let enabled = field.options.iter().filter(|option| !option.disabled);
                    values.extend(enabled.map(|option| option.value.as_str()));
                }
            }
        }
        FormError::NotAnOption {
            name: name.to_owned(),
            value: value.to_owned(),
            hint: hint(value, values.into_iter()),
        }
    }

    /// Chooses these values and no others.
    fn choose(&mut self, name: &str, values: &[String]) {
        let wanted: BTreeSet<&str> = values.iter().map(String::as_str).collect();
        // Of several radio buttons with one value the first is chosen, for only one can be.
        let mut radio_left = true;
        for field in self.named_mut(name).filter(|field| !field.disabled) {
            match field.kind {
                FieldKind::Checkbox => field.chosen = wanted.contains(field.value.as_str()),
                FieldKind::Radio => {
                    field.chosen = radio_left && wanted.contains(field.value.as_str());
                    radio_left &= !field.chosen;
                }
                FieldKind::Select | FieldKind::SelectMultiple => select(field, &wanted),
                _ => {}
            }
        }
    }

    /// Writes values into the fields that take any.
    fn write(&mut self, name: &str, values: Vec<String>) {
        let mut values = values.into_iter();
        let texts = self.named_mut(name).filter(|field| takes_text(field) && !field.disabled);
        for (field, value) in texts.zip(values.by_ref()) {
            field.value = value;
        }
        self.parts.fields.extend(values.map(|value| added(name, value)));
    }
}

fn takes_text(field: &Field) -> bool {
    !field.kind.is_choice() && field.kind != FieldKind::File
}

fn added(name: &str, value: String) -> Field {
    Field {
        node: None,
        name: name.to_owned(),
        value,
        kind: FieldKind::Hidden,
        chosen: true,
        disabled: false,
        options: Vec::new(),
    }
}

fn select(field: &mut Field, wanted: &BTreeSet<&str>) {
    let single = field.kind == FieldKind::Select;
    let mut done = false;
    for option in &mut field.options {
        let fits = !option.disabled && wanted.contains(option.value.as_str());
        option.selected = fits && !(single && done);
        done |= option.selected;
    }
    let first = field.options.iter().find(|option| option.selected);
    field.value = first.map(|option| option.value.clone()).unwrap_or_default();
}

/// The closest of the names and what there are, as the end of a message.
pub(super) fn hint<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> String {
    let mut seen = BTreeSet::new();
    let names: Vec<&str> = names.filter(|name| seen.insert(*name)).collect();
    if names.is_empty() {
        return " (it has none)".to_owned();
    }
    let comparable = names.iter().filter(|other| other.len() <= MAX_COMPARED);
    let closest = comparable.map(|other| (distance(name, other), *other)).min();
    let close = closest.filter(|(n, _)| name.len() <= MAX_COMPARED && *n <= name.len() / 3);
    let close = close.map(|(_, other)| format!(" (did you mean `{other}`?)")).unwrap_or_default();
    let shown = |name: &&str| format!("`{}`", name.chars().take(MAX_COMPARED).collect::<String>());
    let listed: Vec<String> = names.iter().take(MAX_LISTED).map(shown).collect();
    let more = names.len().saturating_sub(MAX_LISTED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{close}, it has {}{more}", listed.join(", "))
}

/// How many characters have to be changed, added or removed to make one of the other
/// (Levenshtein), letters of either case being the same.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(MAX_COMPARED).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(MAX_COMPARED).enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(!x.eq_ignore_ascii_case(y));
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_counted() {
        for (a, b, n) in [("", "", 0), ("usr", "user", 1), ("User", "user", 0), ("ab", "ba", 2)] {
            assert_eq!(distance(a, b), n, "{a} {b}");
        }
    }

    #[test]
    fn hints_name_the_closest_and_are_short() {
        assert_eq!(
            hint("usr", ["user", "pass", "user"].into_iter()),
            " (did you mean `user`?), it has `user`, `pass`"
        );
        assert_eq!(hint("zzzzz", ["user"].into_iter()), ", it has `user`");
        let many: Vec<String> = (0..50).map(|n| format!("f{n}")).collect();
        assert!(hint("x", many.iter().map(String::as_str)).ends_with("`f19` and 30 more"));
    }
}
