//! CSV files as items.

use std::fmt;
use std::sync::Arc;

use super::own::Own;
use super::step::{Step, Taken};
use crate::{CsvDialect, CsvRow, Harvest, Page, SpiderError, Texts};

type Each = Arc<dyn Fn(&CsvRow, &Page<'_>, &mut Harvest) -> Result<(), SpiderError> + Send + Sync>;

/// Takes the rows of CSV files as items, as Scrapy's `CSVFeedSpider` does.
///
/// ```
/// use crawl_spider::prelude::*;
/// use crawl_spider::ready::{CsvTables, Step};
///
/// let prices = CsvTables::new("http://shop.test/prices.csv")
///     .delimiter(';')
///     .headers(["id", "price"])
///     .each(|row, _, out| match row.get("price") {
///         Some("") | None => Ok(()),
///         Some(_) => out.item(row),
///     })
///     .then(|_: &Page<'_>, _: &mut Harvest| Ok(()));
/// # let _ = prices;
/// ```
#[derive(Clone)]
pub struct CsvTables {
    own: Own,
    dialect: CsvDialect,
    each: Option<Each>,
}

impl CsvTables {
    /// Begins with these files. Without any URL (`CsvTables::default()`) the files are what the
    /// crawl begins with, its seeds.
    #[must_use]
    pub fn new(urls: impl Texts) -> Self {
        let own = Own::new(urls.into_texts(), "csv");
        Self { own, dialect: CsvDialect::default(), each: None }
    }

    /// Sets what separates values: one ASCII character. Default: told by the first rows.
    #[must_use]
    pub fn delimiter(mut self, delimiter: char) -> Self {
        self.dialect.delimiter = Some(delimiter);
        self
    }

    /// Sets what values with delimiters in them stand between: one ASCII character. Default: `"`.
    #[must_use]
    pub fn quote(mut self, quote: char) -> Self {
        self.dialect.quote = Some(quote);
        self
    }

    /// Sets the names of the columns, of files whose first row does not have them.
    #[must_use]
    pub fn headers(mut self, names: impl Texts) -> Self {
        self.dialect.headers = Some(names.into_texts());
        self
    }

    /// Sets all of that at once.
    #[must_use]
    pub fn dialect(mut self, dialect: CsvDialect) -> Self {
        self.dialect = dialect;
        self
    }

    /// Calls this for each row, instead of taking it as an item.
    #[must_use]
    pub fn each(
        mut self,
        read: impl Fn(&CsvRow, &Page<'_>, &mut Harvest) -> Result<(), SpiderError>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        self.each = Some(Arc::new(read));
        self
    }
}

impl Default for CsvTables {
    fn default() -> Self {
        Self::new(Vec::<String>::new())
    }
}

impl Step for CsvTables {
    fn start(&self, out: &mut Harvest) -> Result<(), SpiderError> {
        for (name, c) in [("delimiter", self.dialect.delimiter), ("quote", self.dialect.quote)] {
            if let Some(c) = c.filter(|c| !c.is_ascii()) {
                let what = format!("the {name} of CSV files must be ASCII, and `{c}` is not");
                return Err(SpiderError::Other(what));
            }
        }
        self.own.start(out)
    }

    fn read(&self, page: &Page<'_>, out: &mut Harvest) -> Result<Taken, SpiderError> {
        if !self.own.has(page) {
            return Ok(Taken::NotMine);
        }
        for row in page.csv_as(&self.dialect) {
            match &self.each {
                Some(each) => each(&row?, page, out)?,
                None => out.item(&row?)?,
            }
        }
        Ok(Taken::Mine)
    }
}

impl fmt::Debug for CsvTables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CsvTables")
            .field("own", &self.own)
            .field("dialect", &self.dialect)
            .finish_non_exhaustive()
    }
}
