//! `politeness.per-ip`: hosts that are served from one address share its clock.
//!
//! Which address a host has is told by its answers ([`HostFree::remote`]), so two hosts of one
//! address may each be asked once before the frontier knows that they belong together; the same
//! goes for the first request of a new run. What goes through a proxy shows no address and keeps
//! to its host's clock.
//!
//! A host that is due while its address is not stands in that address' line, outside of the heap
//! of due hosts. When the address is free the first in line is called and goes into the heap
//! again. So a ticket costs the same however many hosts share an address.
//!
//! A line must be called again whenever whom it called has not used its turn. That is checked
//! wherever a host's appointment changes, and done at the next look for what is due.
//!
//! [`HostFree::remote`]: crawl_model::HostFree::remote

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::time::Instant;

use super::host::Flag;
use super::{HostKey, Later, Scheduler};
use crate::backend::Backend;

/// Number of an address, dense from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AddressKey(u32);

/// The addresses that are known, and who waits for which.
#[derive(Debug, Default)]
pub(super) struct Lines {
    keys: HashMap<IpAddr, AddressKey>,
    addresses: Vec<Address>,
    /// Lines that may have to be called.
    to_call: Vec<AddressKey>,
}

/// An address' clock, and the hosts that wait for it.
#[derive(Debug, Default)]
struct Address {
    /// Earliest next start.
    next_start: Option<Instant>,
    /// Requests whose last byte is still to come.
    in_flight: u32,
    /// First come, first called.
    line: VecDeque<HostKey>,
    /// Who was called last; it has its turn as long as it is due.
    called: Option<HostKey>,
    /// When the line will be called, if a time is set.
    alarm: Option<Instant>,
}

impl Lines {
    fn get(&mut self, key: AddressKey) -> &mut Address {
        &mut self.addresses[key.0 as usize]
    }

    fn key(&mut self, ip: IpAddr) -> AddressKey {
        *self.keys.entry(ip).or_insert_with(|| {
            let n = u32::try_from(self.addresses.len()).expect("fewer addresses than hosts");
            self.addresses.push(Address::default());
            AddressKey(n)
        })
    }

    /// The address is free at `soon`, if not before.
    pub(super) fn hurry(&mut self, key: AddressKey, soon: Instant) {
        let address = self.get(key);
        address.next_start = address.next_start.map(|next| next.min(soon));
        // An alarm that is set already may ring late; it does no harm then.
        address.alarm = None;
        self.to_call.push(key);
    }

    /// The line's alarm went off.
    pub(super) fn woken(&mut self, key: AddressKey) {
        self.get(key).alarm = None;
        self.to_call.push(key);
    }
}

impl<B: Backend> Scheduler<B> {
    /// Notes which address a host answered from.
    pub(super) fn note_address(&mut self, host: HostKey, remote: Option<IpAddr>) {
        let Some(ip) = remote.filter(|_| self.config.politeness.per_ip) else { return };
        let key = self.lines.key(ip);
        if let Some(old) =
            self.host_mut(host).busy_mut().address.replace(key).filter(|&old| old != key)
        {
            // It may have been called there.
            self.lines.to_call.push(old);
        }
    }

    /// Whether the host's address lets it send now.
    pub(super) fn has_turn(&mut self, host: HostKey, now: Instant) -> bool {
        let Some(key) = self.host(host).busy().address else { return true };
        let per_host = self.politeness(host).per_host.get();
        let address = self.lines.get(key);
        address.in_flight < per_host && address.next_start.is_none_or(|due| due <= now)
    }

    /// Whether another host waits for the address of this one.
    pub(super) fn shares_address(&mut self, host: HostKey) -> bool {
        let Some(key) = self.host(host).busy().address else { return false };
        let address = self.lines.get(key);
        !address.line.is_empty() || address.called.is_some_and(|called| called != host)
    }

    /// Takes a host that is due out of the heap until its address is free.
    pub(super) fn stand_in_line(&mut self, host: HostKey) {
        self.dismiss(host);
        let Some(key) = self.host(host).busy().address else { return };
        self.host_mut(host).set(Flag::InLine, true);
        self.lines.get(key).line.push_back(host);
        self.lines.to_call.push(key);
    }

    /// A host's appointment has changed: if it was called, the next in line may have to be.
    pub(super) fn recheck_line(&mut self, host: HostKey) {
        if let Some(key) = self.host(host).busy().address
            && !self.lines.get(key).line.is_empty()
        {
            self.lines.to_call.push(key);
        }
    }

    /// A ticket is cut: its address' clock counts from now, till the real start is known.
    pub(super) fn address_taken(&mut self, host: HostKey, next: Instant) -> Option<AddressKey> {
        let key = self.host(host).busy().address?;
        let address = self.lines.get(key);
        address.in_flight += 1;
        address.next_start = address.next_start.max(Some(next));
        Some(key)
    }

    /// A request to `host` is over, which was cut when it had the address `taken`.
    pub(super) fn address_freed(
        &mut self,
        host: HostKey,
        taken: Option<AddressKey>,
        next: Instant,
    ) {
        if let Some(key) = taken {
            self.lines.get(key).in_flight -= 1;
            self.lines.to_call.push(key);
        }
        // A host that has moved since may have been asked at either place.
        for key in [taken, self.host(host).busy().address].into_iter().flatten() {
            let address = self.lines.get(key);
            address.next_start = address.next_start.max(Some(next));
        }
    }

    /// Calls from each line that may have to be called.
    pub(super) fn call_lines(&mut self, now: Instant) {
        while let Some(key) = self.lines.to_call.pop() {
            self.call_line(key, now);
        }
    }

    /// Calls the first in line that is still due, if the address is free.
    fn call_line(&mut self, key: AddressKey, now: Instant) {
        if let Some(called) = self.lines.get(key).called.take()
            && self.is_due(called, now)
            && self.host(called).busy().address == Some(key)
        {
            self.lines.get(key).called = Some(called);
            return;
        }
        while let Some(&first) = self.lines.get(key).line.front() {
            let per_host = self.politeness(first).per_host.get();
            let address = self.lines.get(key);
            if address.in_flight >= per_host {
                return; // called again when one of them is over
            }
            if let Some(due) = address.next_start.filter(|&due| due > now) {
                if address.alarm.is_none() {
                    address.alarm = Some(due);
                    self.delayed.push(due, Later::Line(key));
                }
                return;
            }
            address.line.pop_front();
            address.called = Some(first);
            self.host_mut(first).set(Flag::InLine, false);
            self.schedule(first, now);
            if self.is_due(first, now) {
                return;
            }
        }
    }

    fn is_due(&self, host: HostKey, now: Instant) -> bool {
        self.due.of(host).is_some_and(|due| due <= now.into())
    }
}
