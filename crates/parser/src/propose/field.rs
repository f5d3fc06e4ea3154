//! What a text is: a price, a date, a number.

/// What kind of thing a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// What the item is called.
    Title,
    /// Where the item's own page is.
    Link,
    /// A picture.
    Image,
    /// An amount of money.
    Price,
    /// A day, maybe with a time.
    Date,
    /// A number alone.
    Number,
    /// Several texts of one kind.
    List,
    /// A word that is told by a class alone: `<p class="star-rating Three">`.
    Class,
    /// Any other text.
    Text,
}

/// Longest text that is looked at to tell what it is.
const SHORT: usize = 48;

/// What kind most of the texts are of; [`Kind::Text`] if they are of none.
pub(super) fn kind_of<'a>(texts: impl Iterator<Item = &'a str> + Clone) -> Kind {
    let n = texts.clone().count();
    let most = |is: fn(&str) -> bool| {
        let n_are = texts.clone().filter(|text| text.len() <= SHORT && is(text)).count();
        n > 0 && n_are * 5 >= n * 4
    };
    if most(is_price) {
        Kind::Price
    } else if most(is_date) {
        Kind::Date
    } else if most(is_number) {
        Kind::Number
    } else {
        Kind::Text
    }
}

/// An amount with its currency, and little beside.
fn is_price(text: &str) -> bool {
    const SIGNS: [char; 9] = ['$', '€', '£', '¥', '₹', '₽', '₩', '₺', '₴'];
    const CODES: [&str; 14] = [
        "USD", "EUR", "GBP", "CHF", "JPY", "SEK", "NOK", "DKK", "PLN", "CZK", "CAD", "AUD", "zł",
        "kr",
    ];
    let has_currency = text.contains(SIGNS)
        || text.split(|c: char| !c.is_alphabetic()).any(|word| CODES.contains(&word));
    has_currency
        && text.contains(|c: char| c.is_ascii_digit())
        && text.chars().filter(|c| c.is_alphabetic()).count() <= 12
}

/// `2024-05-01`, `1 May 2024`, `May 1st, 2024`, `01.05.2024`, `5/1/24`.
fn is_date(text: &str) -> bool {
    const MONTHS: [&str; 12] =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let number = |word: &&str| {
        let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        word.len() <= digits.len() + 2 && digits.parse::<u32>().is_ok()
    };
    let is_year = |word: &&str| {
        word.len() == 4 && word.parse::<u32>().is_ok_and(|year| (1900..2100).contains(&year))
    };
    let has_month = words.iter().any(|word| {
        let lower = word.to_ascii_lowercase();
        lower.len() >= 3 && MONTHS.iter().any(|month| lower.starts_with(month))
    });
    let n_numbers = words.iter().filter(|word| number(word)).count();
    let has_year = words.iter().any(is_year);
    if has_month {
        return words.len() <= 8 && n_numbers >= 1;
    }
    // Three numbers with the same mark between them.
    let mark = ['-', '/', '.'].iter().any(|mark| text.matches(*mark).count() == 2);
    mark && n_numbers >= 3 && (has_year || words.iter().take(3).all(|word| word.len() <= 2))
}

fn is_number(text: &str) -> bool {
    let text = text.trim_start_matches(['-', '+', '#']).trim_end_matches('%').trim();
    text.starts_with(|c: char| c.is_ascii_digit())
        && text.ends_with(|c: char| c.is_ascii_digit())
        && text
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '\u{a0}' | ' ' | '\''))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_told_apart() {
        for (text, kind) in [
            ("£51.77", Kind::Price),
            ("1 299,00 €", Kind::Price),
            ("from 20 EUR", Kind::Price),
            ("2024-05-01", Kind::Date),
            ("1 May 2024", Kind::Date),
            ("May 1st, 2024 at 10:30", Kind::Date),
            ("01.05.2024", Kind::Date),
            ("1,234", Kind::Number),
            ("12 %", Kind::Number),
            ("May the force be with you and all the others, too", Kind::Text),
            ("127.0.0.1", Kind::Number),
            ("v1.2.3-rc", Kind::Text),
            ("In stock", Kind::Text),
            ("", Kind::Text),
        ] {
            assert_eq!(kind_of([text].into_iter()), kind, "{text}");
        }
    }
}
