//! Waits for a future on a thread that has no runtime.
//!
//! The writer and the feeds do blocking I/O, so they live on threads of their own, yet what they
//! wait for are tokio channels. Neither needs a timer or a reactor: parking the thread will do.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Instant;

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs `future` on this thread until it is ready.
///
/// For futures that need no reactor: channels of `tokio::sync`.
pub fn wait<F: Future>(future: F) -> F::Output {
    drive(future, None).expect("without a deadline it ends only when it is ready")
}

/// Runs `future` on this thread until it is ready, or until `deadline`: then `None`.
///
/// The future is dropped at the deadline, so it must be safe to cancel, as `recv` and `changed`
/// are.
pub fn wait_until<F: Future>(future: F, deadline: Instant) -> Option<F::Output> {
    drive(future, Some(deadline))
}

fn drive<F: Future>(future: F, deadline: Option<Instant>) -> Option<F::Output> {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Some(output);
        }
        match deadline {
            None => thread::park(),
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return None;
                }
                thread::park_timeout(left);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::mpsc;

    use super::*;

    #[test]
    fn a_message_from_another_thread_wakes_the_waiter() {
        let (sender, mut receiver) = mpsc::channel(1);
        let other = thread::spawn(move || sender.blocking_send(7));
        assert_eq!(wait(receiver.recv()), Some(7));
        other.join().unwrap().unwrap();
    }

    #[test]
    fn the_deadline_ends_the_wait() {
        let (_sender, mut receiver) = mpsc::channel::<u8>(1);
        let deadline = Instant::now() + Duration::from_millis(1);
        assert_eq!(wait_until(receiver.recv(), deadline), None);
    }
}
