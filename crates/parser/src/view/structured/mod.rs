//! What a document says in machine-readable ways: JSON-LD, microdata, RDFa Lite, OpenGraph.

mod item;
mod json_ld;
mod microdata;
mod open_graph;
mod rdfa;

use crawl_spider::StructuredData;

use super::Join;
use crate::dom::Dom;

/// Reads all of it. `url` is the document's own.
pub(crate) fn structured(dom: &Dom, url: &str, join: &Join<'_>) -> StructuredData {
    let scripts = json_ld::json_ld(dom);
    let microdata = microdata::microdata(dom, join);
    let rdfa = rdfa::rdfa(dom, url, join);
    StructuredData {
        json_ld: scripts.values,
        json_ld_invalid: scripts.n_invalid,
        microdata: microdata.items,
        rdfa: rdfa.items,
        open_graph: open_graph::open_graph(dom),
        truncated: scripts.truncated || microdata.truncated || rdfa.truncated,
    }
}
