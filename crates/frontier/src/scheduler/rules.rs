//! How each host is to be treated: by the config, and by what the running crawl was told since.

use std::collections::BTreeMap;

use crawl_model::HostTable;

use crate::config::{HostPoliteness, PolitenessConfig};
use crate::orders::Pace;

/// All rules there are, each with a number but for the usual ones.
pub(super) struct RuleBook {
    /// For hosts without rules of their own.
    usual: HostPoliteness,
    /// Of the config's tables; numbered from 0.
    by_host: HostTable<HostPoliteness>,
    /// Made by orders, for one host each; numbered on from there.
    own: Vec<HostPoliteness>,
    /// Places in `own`.
    own_by_name: BTreeMap<Box<str>, usize>,
}

impl RuleBook {
    pub(super) fn new(usual: HostPoliteness) -> Self {
        let by_host = HostTable::default();
        Self { usual, by_host, own: Vec::new(), own_by_name: BTreeMap::new() }
    }

    pub(super) fn set_hosts(&mut self, hosts: HostTable<HostPoliteness>) {
        self.by_host = hosts;
    }

    /// What the config says, for telling whether it has changed.
    pub(super) fn told(&self) -> String {
        format!("{} {:?}", self.usual.agent, self.by_host)
    }

    /// The number of a host's rules; `None` for the usual ones.
    pub(super) fn position(&self, host: &str) -> Option<u32> {
        let own = self.own_by_name.get(host).map(|place| self.by_host.values().len() + place);
        own.or_else(|| self.by_host.position(host)).and_then(|number| u32::try_from(number).ok())
    }

    /// The rules of this number.
    pub(super) fn get(&self, number: Option<u32>) -> &HostPoliteness {
        let Some(number) = number else { return &self.usual };
        let (number, tables) = (number as usize, self.by_host.values());
        tables.get(number).unwrap_or_else(|| &self.own[number - tables.len()])
    }

    /// Changes the rules of one host; says their number.
    pub(super) fn change(
        &mut self,
        host: &str,
        change: impl FnOnce(&mut PolitenessConfig),
    ) -> Option<u32> {
        let mut rules = self.get(self.position(host)).clone();
        change(&mut rules.politeness);
        match self.own_by_name.get(host) {
            Some(&place) => self.own[place] = rules,
            None => {
                self.own_by_name.insert(host.into(), self.own.len());
                self.own.push(rules);
            }
        }
        self.position(host)
    }

    /// Changes all rules.
    pub(super) fn change_all(&mut self, change: impl Fn(&mut PolitenessConfig)) {
        let tables = self.by_host.values_mut().iter_mut();
        for rules in tables.chain(&mut self.own).chain([&mut self.usual]) {
            change(&mut rules.politeness);
        }
    }

    /// The pace of hosts that orders gave one of their own.
    pub(super) fn own_paces(&self) -> BTreeMap<String, Pace> {
        let own = self.own_by_name.iter();
        own.map(|(name, &place)| (name.to_string(), Pace::from(&self.own[place].politeness)))
            .collect()
    }
}
