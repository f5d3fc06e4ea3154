//! The main text of a page.

use serde::Serialize;

/// What a page is about, without what stands around it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Article {
    /// Its title.
    pub title: String,
    /// Who wrote it.
    pub byline: Option<String>,
    /// What it says, in one or two sentences.
    pub excerpt: Option<String>,
    /// Name of the site.
    pub site_name: Option<String>,
    /// Its language, as the document names it.
    pub language: Option<String>,
    /// When it was published, as it is written.
    pub published: Option<String>,
    /// When it was last changed, as it is written.
    pub modified: Option<String>,
    /// The image it is shown with.
    pub image: Option<String>,
    /// Its text: a blank line between paragraphs, no markup.
    pub text: String,
    /// Its HTML, links and images absolute.
    pub html: String,
    /// As Markdown, links and images absolute.
    pub markdown: String,
}
