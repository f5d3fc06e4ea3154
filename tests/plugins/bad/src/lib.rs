//! A spider that does what a spider must not do: which of it, its arguments say.
//!
//! `how`: `panic`, `error`, `loop`, `sleep`, `stack`, `alloc`, `print`, `exit`, `abort`, `segfault`.
//! `when`: the callback in which it does it (`parse` if not given, or `args`, `name`, `wants`,
//! `wants_status`, `start`, `error`, `closed`, `drop`).
//! `on`: only on pages whose URL contains this.
//!
//! Other pages give an item with their URL, and their links are followed.

use std::hint::black_box;
use std::time::Duration;

use crawl_spider::ItemQuery;
use crawl_spider::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bad {
    #[serde(default)]
    how: String,
    #[serde(default = "parse")]
    when: String,
    #[serde(default)]
    on: String,
}

fn parse() -> String {
    "parse".to_owned()
}

impl FromArgs for Bad {
    fn from_args(args: &Args) -> Result<Self, SpiderError> {
        let bad: Self = args.to()?;
        bad.act("args", "")?;
        Ok(bad)
    }
}

impl Bad {
    fn act(&self, when: &str, url: &str) -> Result<(), SpiderError> {
        if self.when != when || !url.contains(&self.on) {
            return Ok(());
        }
        match &*self.how {
            "panic" => panic!("bad in {when}"),
            "error" => return Err(SpiderError::other(format!("wrong in {when}"))),
            "loop" => loop {
                black_box(());
            },
            "sleep" => loop {
                std::thread::sleep(Duration::from_secs(3600));
            },
            "stack" => drop(black_box(descend(1))),
            "alloc" => {
                let mut all: Vec<Vec<u8>> = Vec::new();
                loop {
                    all.push(black_box(vec![1; 16 << 20]));
                }
            }
            "print" => {
                println!("printed in {when}");
                eprintln!("told in {when}");
            }
            "exit" => std::process::exit(0),
            "abort" => std::process::abort(),
            // SAFETY: none; that is what it is for.
            "segfault" => unsafe { std::ptr::null_mut::<u8>().write_volatile(1) },
            _ => {}
        }
        Ok(())
    }
}

#[allow(unconditional_recursion)]
fn descend(n: u64) -> u64 {
    let room = black_box([n; 64]);
    descend(n + 1) + room[(n % 64) as usize]
}

#[spider]
impl Spider for Bad {
    fn name(&self) -> &str {
        let _ = self.act("name", "");
        "bad"
    }

    fn wants(&self) -> Vec<ItemQuery> {
        let _ = self.act("wants", "");
        Vec::new()
    }

    fn wants_status(&self, status: u16) -> bool {
        let _ = self.act("wants_status", "");
        (200..300).contains(&status)
    }

    fn start(&self, _: &mut Harvest) -> Result<(), SpiderError> {
        self.act("start", "")
    }

    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        out.log(LogLevel::Info, "before");
        out.stat("pages", 1);
        out.item(&json!({ "url": page.url() }))?;
        out.follow_links(page);
        self.act("parse", page.url().as_str())
    }

    fn error(&self, failed: &FailedRequest<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        out.stat("failed", 1);
        self.act("error", failed.url().as_str())
    }

    fn closed(&self, _: &Closed<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        out.stat("closed", 1);
        self.act("closed", "")
    }
}

impl Drop for Bad {
    fn drop(&mut self) {
        let _ = self.act("drop", "");
    }
}
