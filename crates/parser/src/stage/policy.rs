//! What the kernel's scheduler is told of our threads.
//!
//! **CPU threads give way** (`SCHED_BATCH`): when work comes for one that sleeps, it waits until the
//! thread that brought the work pauses, instead of interrupting it. So pages, entries and answers
//! change threads by the dozen where they would change one by one: on one core that is a quarter of
//! the context switches, and a quarter of the CPU time of a page.
//!
//! **A thread that hangs** cannot be stopped from outside, but it is taken out of the race for the
//! cores (`SCHED_IDLE`): it runs when nobody else wants to, a three hundredth beside a thread of ours
//! (weight 3 of 1,024; nice 19 would leave it 15).
//!
//! Both are Linux. Elsewhere a single thread has no such handle that any process may use: there
//! threads interrupt each other, and one that hangs goes on competing.

#[cfg(target_os = "linux")]
#[allow(unsafe_code, reason = "no safe crate offers sched_setscheduler")]
mod imp {
    /// A thread of this process, as the kernel calls it.
    #[derive(Debug, Clone, Copy)]
    pub(crate) struct Thread(libc::pid_t);

    impl Thread {
        /// The one that asks.
        pub(crate) fn current() -> Self {
            // SAFETY: it takes nothing and cannot fail.
            Self(unsafe { libc::gettid() })
        }

        /// Lets it run only when nobody else wants to; whether that worked. It must be alive, or
        /// its number may be another's.
        pub(crate) fn demote(self) -> bool {
            self.set(libc::SCHED_IDLE)
        }

        /// Lets it interrupt nobody when it wakes; whether that worked.
        pub(super) fn give_way(self) -> bool {
            self.set(libc::SCHED_BATCH)
        }

        fn set(self, policy: libc::c_int) -> bool {
            let param = libc::sched_param { sched_priority: 0 };
            // The bare call: musl's function of that name refuses to do it.
            // SAFETY: the kernel reads `param`, which lives until the call returns.
            let failed = unsafe {
                let param: *const libc::sched_param = &raw const param;
                libc::syscall(libc::SYS_sched_setscheduler, self.0, policy, param)
            };
            failed == 0
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    /// Nothing that could be demoted.
    #[derive(Debug, Clone, Copy)]
    pub(crate) struct Thread;

    impl Thread {
        pub(crate) fn current() -> Self {
            Self
        }

        pub(crate) fn demote(self) -> bool {
            false
        }

        pub(super) fn give_way(self) -> bool {
            false
        }
    }
}

pub(crate) use imp::Thread;

/// Lets the calling thread, and the threads and processes that it starts from here on, interrupt
/// nobody when they wake; whether the system does that.
///
/// The threads of a crawl that parse and write do it by themselves. A program whose runtime does
/// nothing but crawl calls this before it makes the runtime, as the `crawl` binary does.
pub fn give_way() -> bool {
    Thread::current().give_way()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs;
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    /// The policy by which this thread is scheduled: field 41 of proc_pid_stat(5). The name, field 2,
    /// may have spaces.
    fn policy_of(thread: Thread) -> String {
        let number: String = format!("{thread:?}").chars().filter(char::is_ascii_digit).collect();
        let stat = fs::read_to_string(format!("/proc/self/task/{number}/stat"));
        let stat = stat.expect("a thread that lives has a file in /proc");
        let policy = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(41 - 3));
        policy.expect("the file has fields enough").to_owned()
    }

    #[test]
    fn a_demoted_thread_is_in_the_idle_class() {
        let (tell, told) = mpsc::channel();
        let (end, ended) = mpsc::channel::<()>();
        let hanging = thread::spawn(move || {
            tell.send(Thread::current()).unwrap();
            let _ = ended.recv();
        });
        let thread = told.recv().unwrap();
        assert!(thread.demote());
        assert_eq!(policy_of(thread), "5");
        drop(end);
        hanging.join().unwrap();
    }

    #[test]
    fn who_gives_way_hands_that_on() {
        let policies = thread::spawn(|| {
            assert!(give_way());
            let child = thread::spawn(|| policy_of(Thread::current()));
            [policy_of(Thread::current()), child.join().unwrap()]
        });
        assert_eq!(policies.join().unwrap(), ["3", "3"]);
    }
}
