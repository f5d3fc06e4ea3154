//! The queues against a naive one, with spills and reopenings at any time.

use std::collections::BTreeMap;

use crawl_model::CanonicalUrl;
use crawl_store::tables::Tables;
use proptest::prelude::*;

use super::*;

fn prints() -> Fingerprinter {
    Fingerprinter::new([4; 16])
}

fn request(host: u8, path: u32, priority: i32, depth: u32) -> Request {
    let url = format!("http://h{host}.example/p/{path}");
    let mut request = Request::get(CanonicalUrl::parse(&url).unwrap());
    (request.priority, request.depth) = (priority, depth);
    if path.is_multiple_of(3) {
        request.referrer = Some(CanonicalUrl::parse(&format!("http://r/{}", path / 9)).unwrap());
    }
    if path.is_multiple_of(4) {
        request.label = format!("label-{}", path % 5).into();
    }
    request
}

fn name(host: HostKey) -> String {
    format!("h{}.example", host.0)
}

fn with_hosts(order: Order) -> Queues {
    let mut queues = Queues::new(prints(), order);
    (0..4).for_each(|_| queues.add_host());
    queues
}

/// What a restart keeps: cursors of lanes and segments.
fn reopened(queues: &Queues, tables: &Tables, order: Order) -> Queues {
    let mut new = with_hosts(order);
    let segments: Vec<_> = queues.segments().collect();
    new.restore(tables, &segments, queues.next_segment()).unwrap();
    for host in (0..4).map(HostKey) {
        new.restore_lanes(host, &queues.lanes(host));
    }
    // What is in hand stays so in this test.
    new.n_taken = queues.n_taken;
    new
}

#[derive(Debug, Clone)]
enum Step {
    Push { host: u8, priority: i8, depth: u8 },
    Take { host: u8 },
    PutBack,
    Spill,
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => (0u8..4, -1i8..2, 0u8..4)
            .prop_map(|(host, priority, depth)| Step::Push { host, priority, depth }),
        10 => (0u8..4).prop_map(|host| Step::Take { host }),
        3 => Just(Step::PutBack),
        1 => Just(Step::Spill),
        1 => Just(Step::Reopen),
    ]
}

proptest! {
    #[test]
    fn all_comes_out_once_in_order_whatever_is_on_disk(
        steps in prop::collection::vec(step(), 0..400),
        order in prop_oneof![
            Just(Order::BreadthFirst), Just(Order::DepthFirst), Just(Order::BestFirst)
        ],
    ) {
        let dir = tempfile::tempdir().unwrap();
        let tables = Tables::new(dir.path());
        let mut queues = with_hosts(order);
        // By host: what waits, by service and order of discovery.
        let mut model: Vec<BTreeMap<(Reverse<Service>, u32), Request>> = vec![BTreeMap::new(); 4];
        let mut in_hand: Vec<(u8, Queued, (Reverse<Service>, u32))> = Vec::new();
        let mut n_found = 0;
        for step in steps {
            match step {
                Step::Push { host, priority, depth } => {
                    n_found += 1;
                    let (priority, depth) = (i32::from(priority), u32::from(depth));
                    let request = request(host, n_found, priority, depth);
                    queues.push(HostKey(u32::from(host)), &request);
                    let key = (Reverse(order.service(priority, depth)), n_found);
                    model[usize::from(host)].insert(key, request);
                }
                Step::Take { host } => {
                    let key = HostKey(u32::from(host));
                    prop_assert_eq!(queues.has_waiting(key), !model[usize::from(host)].is_empty());
                    let taken = queues.take(key, &name(key));
                    let first = model[usize::from(host)].pop_first();
                    prop_assert_eq!(
                        taken.as_ref().map(Queued::request),
                        first.as_ref().map(|(_, request)| request.clone())
                    );
                    if let (Some(url), Some((rank, request))) = (taken, first) {
                        prop_assert_eq!(url.print, prints().request(&request));
                        in_hand.push((host, url, rank));
                    }
                }
                Step::PutBack => {
                    let Some((host, url, rank)) = in_hand.pop() else { continue };
                    model[usize::from(host)].insert(rank, url.request());
                    queues.put_back(HostKey(u32::from(host)), url);
                }
                Step::Spill => drop(queues.spill(&tables).unwrap()),
                Step::Reopen => {
                    queues.spill(&tables).unwrap();
                    if queues.returned().next().is_none() {
                        queues = reopened(&queues, &tables, order);
                    }
                }
            }
            prop_assert!(queues.fault().is_none());
        }
        for (host, mut left) in (0..).zip(model) {
            while let Some(url) = queues.take(HostKey(host), &name(HostKey(host))) {
                let (_, request) = left.pop_first().unwrap();
                prop_assert_eq!(url.request(), request);
            }
            prop_assert!(left.is_empty());
        }
        prop_assert!(queues.fault().is_none());
        prop_assert_eq!(queues.segments().count(), 0, "what is used up is let go");
    }
}

#[test]
fn more_ranks_than_lanes_lose_nothing() {
    let mut queues = with_hosts(Order::BreadthFirst);
    for n in 0..2000_i32 {
        let priority = (n * 7919) % 2000;
        queues.push(HostKey(0), &request(0, n.unsigned_abs(), priority, 0));
    }
    let taken: Vec<i32> = std::iter::from_fn(|| queues.take(HostKey(0), "h0.example"))
        .map(|url| url.priority)
        .collect();
    assert_eq!(taken.len(), 2000);
    let mut sorted = taken.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted.len(), 2000);
    assert!(queues.hosts[0].is_empty() && queues.ram_bytes() < 64 << 10);
}

#[test]
fn a_segment_that_is_gone_is_a_fault_and_no_silence() {
    let dir = tempfile::tempdir().unwrap();
    let tables = Tables::new(dir.path());
    let mut queues = with_hosts(Order::BreadthFirst);
    (0..100).for_each(|n| queues.push(HostKey(1), &request(1, n, 0, 0)));
    let file = queues.spill(&tables).unwrap().unwrap();
    let bytes = std::fs::read(file.path()).unwrap();
    std::fs::write(file.path(), vec![0; bytes.len()]).unwrap();
    assert!(queues.take(HostKey(1), "h1.example").is_none());
    assert!(matches!(queues.fault(), Some(StoreError::Damaged { .. })));
}

#[test]
fn a_cold_host_and_a_waiting_url_take_little_space() {
    assert!(size_of::<HostQueue>() <= 16, "{}", size_of::<HostQueue>());
    assert!(size_of::<Lane>() <= 72, "{}", size_of::<Lane>());
}
