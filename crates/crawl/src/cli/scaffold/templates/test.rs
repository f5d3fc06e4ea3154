//! What the spider gives for the pages in tests/{name}, without network. `crawl record {name}.toml`
//! adds pages; `CRAWL_UPDATE=1 cargo test` writes down what it gives now.

use crate_name::SpiderName;
use crawl_spidertest::SpiderTest;

#[test]
fn pages_give_what_they_gave() {
    SpiderTest::new(SpiderName).check_folder("tests/{name}");
}
