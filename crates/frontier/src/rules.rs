//! The rules of a scope for one URL, asked outside a crawl: what each says.

use crawl_model::{CanonicalUrl, FilterReason, Host};

use crate::config::{FrontierError, ScopeConfig, TrapsConfig};
use crate::domain::Domain;
use crate::scope::Scope;

/// Judges URLs as a crawl's frontier does where they are found. Budgets, robots.txt, and traps that
/// count are not among it: they depend on the crawl's course.
#[derive(Debug)]
pub struct ScopeRules(Scope);

impl ScopeRules {
    /// Compiles the tables; `seed_hosts` are the scope if `scope.allowed-domains` is empty.
    ///
    /// # Errors
    /// [`FrontierError`] if a pattern or a domain does not parse.
    pub fn new(
        scope: &ScopeConfig,
        traps: &TrapsConfig,
        seed_hosts: &[Host],
        blocked: impl IntoIterator<Item = Domain>,
    ) -> Result<Self, FrontierError> {
        let scope = Scope::new(scope, seed_hosts)?.with_traps(traps.clone());
        for domain in blocked {
            scope.blocks.insert(domain);
        }
        Ok(Self(scope))
    }

    /// What each rule says of a URL at link distance `depth`, in the order in which they are asked:
    /// whether it refuses it.
    #[must_use]
    pub fn each(&self, url: &CanonicalUrl, depth: u32) -> Vec<(FilterReason, bool)> {
        self.0.each(url, depth)
    }
}
