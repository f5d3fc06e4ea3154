//! Ready spiders, to be put before a spider of one's own: each takes some pages upon itself and
//! leaves the others to it.
//!
//! [`Sitemaps`], [`Feeds`], [`XmlNodes`] and [`CsvTables`] read lists, [`Login`] gets a crawl past
//! a form. They are [`Step`]s: alone they make a spider by [`Step::then`], and a spider that wants
//! more say calls [`Step::start`] and [`Step::read`] by itself.

mod step;

mod own;

mod csv;
mod feed;
mod sitemap;
mod xml;

mod login;

pub use csv::CsvTables;
pub use feed::Feeds;
pub use login::Login;
pub use sitemap::Sitemaps;
pub use step::{Step, Taken, Then};
pub use xml::XmlNodes;
