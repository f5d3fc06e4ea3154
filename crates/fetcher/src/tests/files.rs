//! Bodies that go to a depot: piece by piece, whole or not at all.

use std::sync::{Arc, Mutex};

use crawl_model::{
    Arrived, CanonicalUrl, Depot, Draft, Failure, FailureKind, FileFacts, FileKind, FileTold,
    MediaConfig, Request, Truncation, Verdict,
};

use super::{Server, Step, last, response, send, ticket};
use crate::{Answer, Fetcher};

/// What came to a depot.
#[derive(Debug, Default)]
struct Seen {
    /// Lengths of the parts that were written, over all files.
    parts: Vec<usize>,
    finished: Vec<(Vec<u8>, String)>,
    dropped: usize,
}

#[derive(Debug, Default, Clone)]
struct Memory {
    seen: Arc<Mutex<Seen>>,
    is_broken: bool,
}

struct InMemory {
    memory: Memory,
    bytes: Vec<u8>,
    is_finished: bool,
}

impl Depot for Memory {
    fn begin(&self) -> Result<Box<dyn Draft>, Failure> {
        Ok(Box::new(InMemory { memory: self.clone(), bytes: Vec::new(), is_finished: false }))
    }
}

impl Draft for InMemory {
    fn write(&mut self, piece: &[u8]) -> Result<(), Failure> {
        if self.memory.is_broken {
            return Err(Failure::new(FailureKind::Disk, "no space left"));
        }
        self.memory.seen.lock().unwrap().parts.push(piece.len());
        self.bytes.extend_from_slice(piece);
        Ok(())
    }

    fn finish(mut self: Box<Self>, told: &FileTold<'_>) -> Result<Arrived, Failure> {
        self.is_finished = true;
        let (bytes, media_type) = (std::mem::take(&mut self.bytes), told.media_type.to_owned());
        let n = bytes.len() as u64;
        self.memory.seen.lock().unwrap().finished.push((bytes, media_type.clone()));
        let (sha256, path) = (String::new(), "media/x".to_owned());
        let facts = FileFacts { sha256, path, media_type, width: None, height: None };
        Ok(Arrived { facts, bytes: n, hold: Box::new(()) })
    }
}

impl Drop for InMemory {
    fn drop(&mut self) {
        self.memory.seen.lock().unwrap().dropped += usize::from(!self.is_finished);
    }
}

async fn fetch(step: Step, kind: FileKind, memory: &Memory) -> Answer {
    let server = Server::once(step).await;
    let max_mib = 2.try_into().unwrap();
    let media = MediaConfig { max_mib, types: vec!["text/*".into()], ..MediaConfig::default() };
    let fetcher = Fetcher::new(server.config()).unwrap();
    let fetcher = fetcher.storing(Arc::new(memory.clone()), &media).unwrap();
    let url = CanonicalUrl::parse("http://a.test/file").unwrap();
    fetcher.fetch(&ticket(Request::file(url, kind))).await
}

#[tokio::test]
async fn a_file_goes_to_the_depot_in_parts_and_its_response_has_no_body() {
    let (memory, body) = (Memory::default(), vec![7; 1 << 20]);
    let step = send(response("200 OK", "Content-Type: Text/Plain; x=1\r\n", &body));
    let answer = fetch(step, FileKind::File, &memory).await;
    let reply = answer.reply.unwrap();
    assert_eq!((reply.status, reply.body.len(), reply.truncated), (200, 0, None));
    assert_eq!(answer.file.unwrap().bytes, 1 << 20);
    let seen = memory.seen.lock().unwrap();
    assert_eq!(seen.finished, [(body, "text/plain".to_owned())]);
    assert!(seen.parts.len() > 1 && seen.parts.iter().all(|n| *n < 1 << 19), "{:?}", seen.parts);
}

#[tokio::test]
async fn what_is_not_whole_is_no_file() {
    let memory = Memory::default();
    let cut = last("HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\nhalf");
    let answer = fetch(cut, FileKind::File, &memory).await;
    assert_eq!(answer.reply.unwrap().truncated, Some(Truncation::Disconnect));
    assert!(answer.file.is_none());
    let long = send(response("200 OK", "", vec![1; (2 << 20) + 1]));
    let answer = fetch(long, FileKind::File, &memory).await;
    assert_eq!(answer.reply.unwrap().truncated, Some(Truncation::Length));
    let seen = memory.seen.lock().unwrap();
    assert_eq!((seen.finished.len(), seen.dropped), (0, 2));
}

#[tokio::test]
async fn types_and_statuses_are_looked_at_before_a_file_is_begun() {
    let memory = Memory::default();
    for (kind, media_type, why) in [
        (FileKind::File, "image/png", "media.types"),
        (FileKind::Image, "text/html", "an image is asked for"),
    ] {
        let fields = format!("Content-Type: {media_type}\r\n");
        let answer = fetch(send(response("200 OK", &fields, "x")), kind, &memory).await;
        let failure = answer.reply.unwrap_err();
        assert_eq!(failure.kind.verdict(), Verdict::ContentType);
        assert!(failure.detail.contains(why), "{failure}");
    }
    let gone = send(response("404 Not Found", "Content-Type: text/html\r\n", "gone"));
    let answer = fetch(gone, FileKind::Image, &memory).await;
    assert_eq!(answer.reply.unwrap().body, "gone", "what is no file is read as a page");
    let image = send(response("200 OK", "Content-Type: application/octet-stream\r\n", "png"));
    assert!(fetch(image, FileKind::Image, &memory).await.file.is_some());
    assert_eq!(memory.seen.lock().unwrap().finished.len(), 1);
}

#[tokio::test]
async fn a_disk_that_fails_is_a_failure_of_its_own() {
    let memory = Memory { is_broken: true, ..Memory::default() };
    let answer =
        fetch(send(response("200 OK", "", vec![1; 1 << 20])), FileKind::File, &memory).await;
    assert_eq!(answer.reply.unwrap_err().kind, FailureKind::Disk);
}
