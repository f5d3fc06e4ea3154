//! Children that die, hang, or lose their parent.

use super::*;

#[track_caller]
fn dies(path: &str, expected: &str) {
    let spider = bad(LONG);
    let before = pid(&read(&spider, "/", b"").1);
    let error = read(&spider, path, b"").0.unwrap_err();
    assert!(matches!(error, SpiderError::Crashed(_)), "{error:?}");
    let text = error.to_string();
    assert!(text.contains(expected) && text.contains("256 MiB"), "{text}");
    assert_ne!(pid(&read(&spider, "/", b"").1), before, "a new child");
}

#[test]
fn what_kills_a_process_costs_one_page() {
    dies("/abort", "was killed by SIGABRT");
    dies("/exit", "ended with exit code 7");
}

#[test]
fn an_overflown_stack_costs_one_page() {
    dies("/overflow", "was killed by SIGABRT");
}

#[test]
fn memory_is_limited() {
    dies("/eat", "was killed by SIGABRT");
}

#[test]
fn a_callback_that_does_not_return_is_ended_with_its_child() {
    let spider = bad(Duration::from_millis(300));
    let before = pid(&read(&spider, "/", b"").1);
    let begun = Instant::now();
    let error = read(&spider, "/loop", b"").0.unwrap_err();
    assert!(matches!(error, SpiderError::TimedOut(_)), "{error:?}");
    assert!(begun.elapsed() >= Duration::from_millis(300) && begun.elapsed() < LONG);
    assert!(!std::path::Path::new(&format!("/proc/{before}")).exists());
    assert_ne!(pid(&read(&spider, "/", b"").1), before);
}

#[test]
fn a_child_that_died_in_its_sleep_is_no_pages_fault() {
    let spider = bad(LONG);
    let before = pid(&read(&spider, "/", b"").1).to_string();
    assert!(Command::new("kill").args(["-KILL", &before]).status().unwrap().success());
    let begun = Instant::now();
    // Its first thread may be dead while another still holds the socket.
    let is_dead = |status: &str| status.contains("State:\tZ") && status.contains("Threads:\t1\n");
    let status = || std::fs::read_to_string(format!("/proc/{before}/status"));
    while status().is_ok_and(|status| !is_dead(&status)) {
        assert!(begun.elapsed() < LONG);
        thread::sleep(Duration::from_millis(2));
    }
    read(&spider, "/", b"").0.unwrap();
}

#[test]
fn callbacks_at_the_same_time_have_children_of_their_own() {
    let spider = Arc::new(bad(Duration::from_secs(1)));
    let late = thread::spawn({
        let spider = spider.clone();
        move || read(&spider, "/loop", b"").0.unwrap_err()
    });
    for _ in 0..20 {
        read(&spider, "/", b"").0.unwrap();
    }
    assert!(matches!(late.join().unwrap(), SpiderError::TimedOut(_)));
}

#[test]
fn a_child_has_its_socket_and_no_other_descriptor_of_ours() {
    let secret = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let spider = bad(LONG);
    let (result, parts) = read(&spider, "/descriptors", b"");
    result.unwrap();
    let open: Vec<String> = serde_json::from_str(&parts.items[0].json).unwrap();
    let sockets = open.iter().filter(|target| target.starts_with("socket:")).count();
    // Its own one, and the copy that the watch over the parent has.
    assert_eq!(sockets, 2, "{open:?}");
    let (result, parts) = read(&spider, "/read", b"");
    result.unwrap();
    assert_eq!(parts.stats["read"], 0, "standard input is empty");
    drop(secret);
}

#[test]
fn children_end_with_their_parent_even_in_an_endless_loop() {
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;
    // A parent that is killed closes its end of the pipe and does nothing else; so do we.
    let (ours, theirs) = UnixStream::pair().unwrap();
    let command = launch("guest", "", LONG).command;
    let mut process = command().stdin(OwnedFd::from(theirs)).spawn().unwrap();
    let mut pipe = pipe::Pipe::new(ours);
    let greeting = frames::Greeting {
        version: frames::VERSION.into(),
        setup: "bad".into(),
        memory_bytes: None,
    };
    pipe.send(&frames::greet(&greeting), None).unwrap();
    frames::read_welcome(pipe.receive(None).unwrap()).unwrap().unwrap();
    let (request, response) = page("/loop", b"");
    let opener = PageOpener::new(&ParseConfig::default(), &Bad);
    let frame = opener.open(&request, &response, 0, frames::parse);
    pipe.send(&frame, None).unwrap();
    thread::sleep(Duration::from_millis(100));
    assert_eq!(process.try_wait().unwrap(), None);
    drop(pipe);
    let begun = Instant::now();
    while process.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < LONG, "it lives on");
        thread::sleep(Duration::from_millis(5));
    }
}
