//! A spider that asks a page everything there is to ask, for the comparison of the same source
//! linked in and loaded.

#![forbid(unsafe_code)]

use crawl_spider::prelude::*;

#[derive(Default)]
pub struct Good;

#[spider]
impl Spider for Good {
    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        out.item(&json!({ "title": page.title() }))
    }
}
