//! Asks the crawl on a thread of its own, one question at a time; a new one ends the one before.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use crawl::store::inspect::Query;
use serde_json::Value;

use super::preview;
use crate::cli::inspect::source::Crawl;

/// What comes back.
pub(super) enum Message {
    Row(Value),
    /// All rows are there; what went wrong, if something did.
    End(Option<String>),
    /// A piece of a preview.
    Lines(Vec<String>),
}

enum Question {
    Rows(Query),
    /// Of a row of a list: its page and all around it.
    Preview(Value),
}

/// The thread that asks.
pub(super) struct Desk {
    questions: Sender<(u64, Question)>,
    messages: Receiver<(u64, Message)>,
    /// Number of the question that counts.
    current: Arc<AtomicU64>,
}

impl Desk {
    pub(super) fn open(crawl: Crawl) -> Self {
        let (questions, questions_in) = channel();
        let (to_messages, messages) = channel();
        let current = Arc::new(AtomicU64::new(0));
        let desk = Answering { crawl, messages: to_messages, current: current.clone() };
        // It ends when the browser drops its sender.
        std::thread::spawn(move || desk.run(&questions_in));
        Self { questions, messages, current }
    }

    /// Asks for rows; the answers to all that was asked before are void.
    pub(super) fn rows(&self, query: Query) {
        self.ask(Question::Rows(query));
    }

    /// Asks for a preview, likewise.
    pub(super) fn preview(&self, row: Value) {
        self.ask(Question::Preview(row));
    }

    fn ask(&self, question: Question) {
        let number = self.current.fetch_add(1, Ordering::AcqRel) + 1;
        // The thread lives as long as this does.
        let _ = self.questions.send((number, question));
    }

    /// What has come of the last question since.
    pub(super) fn next(&self) -> Option<Message> {
        let current = self.current.load(Ordering::Acquire);
        self.messages.try_iter().find(|(number, _)| *number == current).map(|(_, message)| message)
    }
}

struct Answering {
    crawl: Crawl,
    messages: Sender<(u64, Message)>,
    current: Arc<AtomicU64>,
}

impl Answering {
    fn run(&self, questions: &Receiver<(u64, Question)>) {
        while let Ok((number, question)) = questions.recv() {
            let tell = |message: Message| {
                let is_void = self.current.load(Ordering::Acquire) != number;
                match self.messages.send((number, message)) {
                    Ok(()) if !is_void => ControlFlow::Continue(()),
                    _ => ControlFlow::Break(()),
                }
            };
            let ended = match question {
                Question::Rows(query) => self.crawl.ask(&query, &mut |row| tell(Message::Row(row))),
                Question::Preview(row) => {
                    preview::of(&self.crawl, &row, &mut |lines| tell(Message::Lines(lines)))
                }
            };
            let _ = tell(Message::End(ended.err().map(|failure| failure.message())));
        }
    }
}
