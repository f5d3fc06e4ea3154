//! One text or several, wherever a builder takes patterns or names.

/// One text or several: `"a"`, `["a", "b"]`, a vector.
pub trait Texts {
    /// Them as a list.
    fn into_texts(self) -> Vec<String>;
}

impl Texts for &str {
    fn into_texts(self) -> Vec<String> {
        vec![self.to_owned()]
    }
}

impl Texts for String {
    fn into_texts(self) -> Vec<String> {
        vec![self]
    }
}

impl<T: Into<String>, const N: usize> Texts for [T; N] {
    fn into_texts(self) -> Vec<String> {
        self.into_iter().map(Into::into).collect()
    }
}

impl<T: Into<String>> Texts for Vec<T> {
    fn into_texts(self) -> Vec<String> {
        self.into_iter().map(Into::into).collect()
    }
}

impl<T: AsRef<str>> Texts for &[T] {
    fn into_texts(self) -> Vec<String> {
        self.iter().map(|text| text.as_ref().to_owned()).collect()
    }
}
