//! The sites that scraping tutorials are written on, put together: each on a host of its own.

use std::sync::Arc;

use crate::{Builder, Directory, ManyHosts, News, Products, Quotes, Site};

/// The hosts of [`Builder::tutorials`]; the last one has subdomains, too.
pub const TUTORIAL_HOSTS: [&str; 9] = [
    Quotes::HOST,
    News::HOST,
    Products::HOST,
    Directory::HOST,
    Directory::VENUES[0],
    Directory::VENUES[1],
    Directory::VENUES[2],
    Directory::VENUES[3],
    MANY,
];

/// The hub of many small hosts.
const MANY: &str = "many.test";

impl Builder {
    /// Serves [`Quotes`], [`News`], [`Products`] and the [`Directory`] with its venues, each on the
    /// host that it names, and the thirty [`ManyHosts`] of `many.test`. Other hosts are not
    /// touched.
    #[must_use]
    pub fn tutorials(self) -> Self {
        let directory: Arc<dyn Site> = Arc::new(Directory);
        let many: Arc<dyn Site> = Arc::new(ManyHosts::tutorial());
        let small = self
            .site(Quotes::HOST, Arc::new(Quotes::default()))
            .site(News::HOST, Arc::new(News))
            .site(Products::HOST, Arc::new(Products))
            .site(MANY, Arc::clone(&many))
            .site(&format!("*.{MANY}"), many);
        let hosts = std::iter::once(Directory::HOST).chain(Directory::VENUES);
        hosts.fold(small, |builder, host| builder.site(host, Arc::clone(&directory)))
    }
}

impl ManyHosts {
    /// The hosts that [`Builder::tutorials`] serves: `many.test` leads to thirty, of four pages
    /// each.
    #[must_use]
    pub fn tutorial() -> Self {
        Self { domain: MANY.to_owned(), hosts: 30, pages: 4, bytes: 2000 }
    }
}
