//! Takes a thread that hangs out of the race for the cores.
//!
//! A thread cannot be stopped from outside, but the scheduler can be told that it does not
//! matter. Under Linux it goes to `SCHED_IDLE`: it runs when nobody else wants to, a three
//! hundredth beside a thread of ours (weight 3 of 1,024; nice 19 would leave it 15). Elsewhere a
//! single thread has no such handle that any process may use, so there it goes on competing.

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
            let param = libc::sched_param { sched_priority: 0 };
            // The bare call: musl's function of that name refuses to do it.
            // SAFETY: the kernel reads `param`, which lives until the call returns.
            let failed = unsafe {
                let param: *const libc::sched_param = &raw const param;
                libc::syscall(libc::SYS_sched_setscheduler, self.0, libc::SCHED_IDLE, param)
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
    }
}

pub(crate) use imp::Thread;

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs;
    use std::sync::mpsc;
    use std::thread;

    use super::*;

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
        let number: String = format!("{thread:?}").chars().filter(char::is_ascii_digit).collect();
        let stat = fs::read_to_string(format!("/proc/self/task/{number}/stat")).unwrap();
        // Field 41 is the policy (proc_pid_stat(5)); the name, field 2, may have spaces.
        let after_name = stat.rsplit_once(") ").unwrap().1;
        assert_eq!(after_name.split(' ').nth(41 - 3), Some("5"));
        drop(end);
        hanging.join().unwrap();
    }
}
