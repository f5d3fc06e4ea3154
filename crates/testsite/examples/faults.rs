//! Serves a web that does everything wrong until its standard input ends, and prints the config of a
//! crawl over it, with the verdict that each URL should have:
//!
//! ```sh
//! cargo run -p crawl-testsite --features faults --example faults > faults.toml
//! ```

use std::io;

use crawl_testsite::Faults;

fn main() -> io::Result<()> {
    let faults = Faults::start()?;
    let roots = std::env::temp_dir().join(format!("faults-{}.pem", std::process::id()));
    std::fs::write(&roots, faults.roots())?;
    println!("seeds = [");
    for fault in faults.all().iter().filter(|fault| !fault.is_guarded) {
        for seed in &fault.seeds {
            println!("    {seed:?}, # {}: {} ({})", fault.verdict, fault.about, fault.section);
        }
    }
    println!("]\n[store]\npath = \"faults\"\n[politeness]\ndelay = \"100ms\"\n[fetch]");
    println!("allow-private-addresses = true\nextra-roots = [{:?}]\n[fetch.resolve]", roots);
    for (host, address) in faults.resolve() {
        println!("{host:?} = \"{address}\"");
    }
    io::stdin().read_line(&mut String::new())?;
    std::fs::remove_file(roots)
}
