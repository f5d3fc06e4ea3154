//! All steps together, and what becomes of a page's items in them.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crawl_model::{DroppedItem, Item, ItemKeys, Keys, PageItems, Taken};
use crawl_spider::{Dropped, ItemStep, PageInfo};
use serde_json::Value;

use crate::PipelineError;
use crate::config::StepConfig;
use crate::keyring::{Keyring, Processed};
use crate::step::{Done, Step};

/// Of a dropped item so many bytes are kept if nobody says how many.
const KEPT_BYTES: usize = 4096;

/// A last look at items before they are stored, as JSON texts; changes nothing.
pub trait ItemCheck: Send + Sync {
    /// By what reports call it.
    fn name(&self) -> &str;

    /// Lets an item pass.
    ///
    /// # Errors
    /// [`Dropped`] if it is not to be kept.
    fn check(&self, item: &Item, page: &PageInfo<'_>) -> Result<(), Dropped>;
}

/// Steps that items go through, in order: the spider's own, those of the config, those that the
/// program adds, and last the checks.
#[derive(Clone)]
pub struct Pipeline {
    steps: Arc<[Step]>,
    added: Vec<Arc<dyn ItemStep>>,
    checks: Vec<Arc<dyn ItemCheck>>,
    keys: ItemKeys,
    kept_bytes: usize,
}

impl Default for Pipeline {
    fn default() -> Self {
        let keys = ItemKeys::new([0; 16]);
        Self { steps: [].into(), added: vec![], checks: vec![], keys, kept_bytes: KEPT_BYTES }
    }
}

impl Pipeline {
    /// Compiles the steps of a config.
    ///
    /// # Errors
    /// [`PipelineError`] that names the key.
    pub fn new(configs: &[StepConfig]) -> Result<Self, PipelineError> {
        let steps = configs.iter().enumerate();
        let steps = steps.map(|(i, config)| Step::new(config, &format!("pipeline[{i}]")));
        Ok(Self { steps: steps.collect::<Result<_, _>>()?, ..Self::default() })
    }

    /// Adds a step behind those of the config.
    #[must_use]
    pub fn with_step(mut self, step: Arc<dyn ItemStep>) -> Self {
        self.added.push(step);
        self
    }

    /// Adds a check behind all steps and earlier checks.
    #[must_use]
    pub fn with_check(mut self, check: Arc<dyn ItemCheck>) -> Self {
        self.checks.push(check);
        self
    }

    /// Makes keys of the crawl that has this secret. Default: the same keys in all crawls.
    #[must_use]
    pub fn with_secret(mut self, secret: [u8; 16]) -> Self {
        self.keys = ItemKeys::new(secret);
        self
    }

    /// Keeps at most so many bytes of a dropped item. Default: 4096.
    #[must_use]
    pub fn with_kept_bytes(mut self, n_bytes: usize) -> Self {
        self.kept_bytes = n_bytes;
        self
    }

    /// What tells the keys of its `dedup` steps from those of others: of items that were stored
    /// under other ones nothing is known.
    #[must_use]
    pub fn key_spaces(&self) -> Vec<&str> {
        self.steps.iter().filter_map(|step| Some(step.dedup()?.0)).collect()
    }

    /// Sends the items of one page through all steps, the spider's own first. Panics of steps are
    /// caught: they drop the item.
    #[must_use]
    pub fn apply(
        &self,
        own: Option<&dyn ItemStep>,
        taken: impl Into<Taken>,
        page: &PageInfo<'_>,
    ) -> PageItems {
        let taken = taken.into();
        let has_steps = own.is_some() || !self.steps.is_empty() || !self.added.is_empty();
        let has_keys = taken.kinds.all().iter().any(|kind| !kind.key.is_empty());
        if !has_steps && !has_keys && self.checks.is_empty() {
            return PageItems::plain(page.label(), taken);
        }
        let Taken { spider, kinds, items } = taken;
        let mut out = PageItems { spider, ..PageItems::default() };
        let mut keyrings = HashMap::new();
        for item in items {
            let done = match has_steps {
                true => self.process(own, &item, page),
                false => Ok(Processed { json: item.json.clone(), ..Processed::default() }),
            };
            let done = done.and_then(|mut done| {
                let made = Item { json: std::mem::take(&mut done.json), kind: item.kind };
                self.check(&made, page).map(|()| (made, done))
            });
            match done {
                Ok((mut made, done)) => {
                    let step = done.keys.first().map(|(step, _)| *step);
                    let ring = keyrings.entry((item.kind, step)).or_insert_with(|| {
                        let step = step.map(|step| &self.steps[step]);
                        Keyring::new(&mut out, kinds.get(item.kind), page.label(), step)
                    });
                    made.kind = ring.kind;
                    let keys = ring.keys(self.keys, &made, done);
                    if keys != Keys::default() || !out.keys.is_empty() {
                        out.keys.resize(out.kept.len(), Keys::default());
                        out.keys.push(keys);
                    }
                    out.count(&made);
                    out.kept.push(made);
                }
                Err((step, dropped)) => {
                    let dropped = DroppedItem::new(&step, &dropped, &item.json, self.kept_bytes);
                    out.dropped.push(dropped);
                }
            }
        }
        out
    }

    /// One item through the steps.
    fn process(
        &self,
        own: Option<&dyn ItemStep>,
        item: &Item,
        page: &PageInfo<'_>,
    ) -> Result<Processed, Fault> {
        let mut value = match serde_json::from_str::<Value>(&item.json) {
            Ok(value) => value,
            Err(error) => {
                return Err(("pipeline".into(), Dropped::new("is no JSON").because(error)));
            }
        };
        if let Some(own) = own {
            value = process(own, value, page)?;
        }
        let mut keys = Vec::new();
        for (number, step) in self.steps.iter().enumerate() {
            match step.process(&mut value, page) {
                Ok(Done::Kept) => {}
                Ok(Done::Keyed(text)) => {
                    let (space, _) = step.dedup().unwrap_or_default();
                    keys.push((number, self.keys.key(space, &text)));
                }
                Err(dropped) => return Err((step.name.clone(), dropped)),
            }
        }
        for step in &self.added {
            value = process(&**step, value, page)?;
        }
        Ok(Processed { json: value.to_string().into(), value: Some(value), keys })
    }

    fn check(&self, item: &Item, page: &PageInfo<'_>) -> Result<(), Fault> {
        for check in &self.checks {
            caught(|| check.check(item, page)).map_err(|dropped| (check.name().into(), dropped))?;
        }
        Ok(())
    }
}

/// Which step dropped an item, and why.
type Fault = (Box<str>, Dropped);

fn process(step: &dyn ItemStep, value: Value, page: &PageInfo<'_>) -> Result<Value, Fault> {
    caught(|| step.process(value, page)).map_err(|dropped| (step.name().into(), dropped))
}

/// Runs what somebody else wrote; a panic drops the item. Its message has gone to stderr by then.
fn caught<T>(work: impl FnOnce() -> Result<T, Dropped>) -> Result<T, Dropped> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let dropped = Dropped::new("panic");
        Err(match text_of(&*panic) {
            Some(text) => dropped.because(text),
            None => dropped,
        })
    })
}

fn text_of(panic: &(dyn Any + Send)) -> Option<&str> {
    panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref().map(String::as_str))
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline").field("steps", &self.steps).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use crawl_model::{ItemKind, Kinds};
    use crawl_spider::{CanonicalUrl, Request};
    use serde_json::json;

    use super::*;

    fn pipeline(text: &str) -> Pipeline {
        #[derive(serde::Deserialize)]
        struct Config {
            pipeline: Vec<StepConfig>,
        }
        Pipeline::new(&toml::from_str::<Config>(text).unwrap().pipeline).unwrap()
    }

    fn apply(pipeline: &Pipeline, own: Option<&dyn ItemStep>, items: &[Value]) -> PageItems {
        let mut request = Request::get(CanonicalUrl::parse("http://h/").unwrap());
        request.label = "book".into();
        let items: Vec<_> = items.iter().map(|item| Item::plain(item.to_string())).collect();
        pipeline.apply(own, items, &PageInfo::new(&request, Some(200)))
    }

    struct Doubles;

    impl ItemStep for Doubles {
        fn name(&self) -> &str {
            "doubles"
        }

        fn process(&self, mut item: Value, _: &PageInfo<'_>) -> Result<Value, Dropped> {
            match item["n"].as_i64() {
                Some(13) => panic!("thirteen"),
                Some(n) => item["n"] = (n * 2).into(),
                None => return Err(Dropped::new("no n").because(&item)),
            }
            Ok(item)
        }
    }

    #[test]
    fn the_spiders_step_goes_first_and_added_ones_last() {
        let pipeline = pipeline("[[pipeline]]\ncompute = { n = '= {n} + 1' }");
        let pipeline = pipeline.with_step(Arc::new(Doubles));
        let items = apply(&pipeline, Some(&Doubles), &[json!({"n": 1}), json!({"x": 1})]);
        assert_eq!(items.kept, [Item { json: r#"{"n":6}"#.into(), kind: 1 }]);
        assert_eq!(items.fields.kinds["book"].fields["n"], 1);
        let dropped = &items.dropped[0];
        assert_eq!((&*dropped.step, &*dropped.reason), ("doubles", "no n"));
        assert_eq!((&*dropped.item, &*dropped.detail), (r#"{"x":1}"#, r#"{"x":1}"#));
    }

    #[test]
    fn a_step_that_panics_drops_the_item_and_no_other() {
        let pipeline = Pipeline::default().with_step(Arc::new(Doubles));
        let items = apply(&pipeline, None, &[json!({"n": 13}), json!({"n": 2})]);
        assert_eq!((items.kept.len(), items.dropped.len()), (1, 1));
        let dropped = &items.dropped[0];
        assert_eq!((&*dropped.reason, &*dropped.detail), ("panic", "thirteen"));
    }

    #[test]
    fn keys_stand_beside_their_items() {
        let pipeline = pipeline("[[pipeline]]\ndedup = ['id']\n[[pipeline]]\ndrop-fields = ['id']");
        let all = [json!({"n": 1}), json!({"id": 7}), json!({"id": 7}), json!({"id": null})];
        let items = apply(&pipeline, None, &all);
        assert_eq!((items.kept.len(), items.keys.len()), (4, 4));
        assert_eq!(&*items.kept[1].json, "{}");
        let lens: Vec<_> = items.keys.iter().map(|keys| keys.unique.len()).collect();
        assert_eq!((lens, &items.keys[1].unique), (vec![0, 1, 1, 0], &items.keys[2].unique));
        assert_eq!(items.keys[1].own.unwrap().key, items.keys[1].unique[0]);
        let without_keys = apply(&pipeline, None, &all[..1]);
        assert!(without_keys.keys.len() <= 1);
    }

    #[test]
    fn an_item_is_known_by_the_key_of_its_kind_or_else_by_the_first_dedup_step() {
        let pipeline = pipeline("[[pipeline]]\ndedup = ['id']\n[[pipeline]]\ndedup = ['n']");
        let keyed =
            ItemKind { name: "Book".into(), key: vec!["sku".into()], ..ItemKind::default() };
        let mut kinds = Kinds::default();
        let kind = kinds.number(|_| false, || Arc::new(keyed));
        let item = |value: Value, kind| Item { json: value.to_string().into(), kind };
        let items = vec![
            item(json!({"sku": 1, "id": 7}), kind),
            item(json!({"id": 7, "sku": 1}), kind),
            item(json!({"sku": null, "n": 1}), kind),
            item(json!({"sku": 1, "id": 7}), Kinds::NONE),
        ];
        let mut request = Request::get(CanonicalUrl::parse("http://h/").unwrap());
        request.label = "list".into();
        let taken = Taken { kinds, items, ..Taken::default() };
        let page = pipeline.apply(None, taken.clone(), &PageInfo::new(&request, None));
        let own: Vec<_> = page.keys.iter().map(|keys| keys.own).collect();
        assert!(own[0].is_some() && own[0] == own[1], "the order of fields does not count");
        assert!(own[2].is_none(), "a key without a value is none, whatever `dedup` says");
        assert_eq!(own[3].unwrap().key, page.keys[3].unique[0]);
        let kinds: Vec<_> =
            page.kept.iter().map(|item| page.kinds.get(item.kind).unwrap()).collect();
        assert_eq!((&*kinds[0].name, &*kinds[3].name), ("Book", "list"));
        assert_eq!((&*kinds[3].key, kinds[3].key_space()), (&["id".into()][..], "id\u{1}".into()));
        // The key is that of what is stored, without steps, too.
        let plain = Pipeline::default().apply(None, taken, &PageInfo::new(&request, None));
        assert_eq!((plain.keys[0].own, plain.keys.len()), (own[0], 4));
        assert!(plain.keys[3] == Keys::default());
    }

    #[test]
    fn without_steps_an_item_passes_as_it_is() {
        struct NoThrees;

        impl ItemCheck for NoThrees {
            fn name(&self) -> &str {
                "no-threes"
            }

            fn check(&self, item: &Item, _: &PageInfo<'_>) -> Result<(), Dropped> {
                if &*item.json == "3" { Err(Dropped::new("three")) } else { Ok(()) }
            }
        }

        let plain = Pipeline::default();
        let request = Request::get(CanonicalUrl::parse("http://h/").unwrap());
        let odd = vec![Item::plain("{ \"a\" : 1.0 }")];
        let page = PageInfo::new(&request, None);
        assert_eq!(plain.apply(None, odd.clone(), &page).kept, odd);
        let checked = plain.with_check(Arc::new(NoThrees));
        assert_eq!(checked.apply(None, odd.clone(), &page).kept, odd);
        let items = apply(&checked, None, &[json!(3), json!(4)]);
        assert_eq!((items.kept.len(), &*items.dropped[0].step), (1, "no-threes"));
    }

    #[test]
    fn of_a_dropped_item_no_more_is_kept_than_wanted() {
        let pipeline = pipeline("[[pipeline]]\nrequire = ['x']").with_kept_bytes(10);
        let items = apply(&pipeline, None, &[json!({"y": "é".repeat(100)})]);
        assert_eq!((items.dropped[0].item.len(), items.dropped[0].bytes), (10, 208));
    }
}
