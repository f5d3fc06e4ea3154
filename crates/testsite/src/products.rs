//! A JSON API whose list goes on by a cursor: an opaque text that each answer gives for the next.

use serde::Serialize;
use serde_json::{Value, json};

use crate::form::queried;
use crate::graph::canonical_number;
use crate::random::{mix, pick};
use crate::{Reply, Site, SiteRequest};

/// The API, and the truth about it.
///
/// | Path | What |
/// |---|---|
/// | `/` | a page for people, which says where the API is |
/// | `/v1/products?limit=N&cursor=C` | up to `limit` (25, at most 50) products, and `next_cursor` or null |
/// | `/v1/products/ID` | one product, with what the list leaves out |
///
/// What is wrong is answered with a status of 4xx and `{"error": ".."}`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Products;

/// A product, as the list has it; its `maker` is told by its own address only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Product {
    /// Its number, from 1.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// Price in cents.
    pub price_cents: u32,
    /// Whether it can be had.
    pub in_stock: bool,
    /// Who makes it.
    pub maker: &'static str,
}

const THINGS: &[&str] = &["Kettle", "Lamp", "Ladder", "Whisk", "Notebook", "Rope", "Teapot"];
const KINDS: &[&str] = &["Plain", "Folding", "Copper", "Über", "Second-best", "Quiet & Small"];
const MAKERS: &[&str] = &["Anker & Co.", "Brüder Falk", "Nobody in Particular"];

/// Products on a page, if not asked otherwise, and at most.
const PER_PAGE: u32 = 25;
const MAX_PER_PAGE: u32 = 50;

impl Products {
    /// The host that it is served on.
    pub const HOST: &str = "api.test";

    /// Number of products.
    const N_PRODUCTS: u32 = 137;

    /// All products, in the order of the list.
    #[must_use]
    pub fn products() -> Vec<Product> {
        (1..=Self::N_PRODUCTS).map(Product::new).collect()
    }
}

impl Product {
    fn new(id: u32) -> Self {
        let n = u64::from(id);
        Self {
            id,
            name: format!("{} {} {id}", pick(KINDS, 401, n), pick(THINGS, 402, n)),
            price_cents: 100 + (mix(403, n) % 20_000) as u32,
            in_stock: !mix(404, n).is_multiple_of(4),
            maker: pick(MAKERS, 405, n),
        }
    }

    fn as_listed(&self) -> Value {
        let (euros, cents) = (self.price_cents / 100, self.price_cents % 100);
        json!({
            "id": self.id,
            "name": self.name,
            "price": { "amount": format!("{euros}.{cents:02}"), "currency": "EUR" },
            "in_stock": self.in_stock,
            "url": format!("/v1/products/{}", self.id),
        })
    }
}

impl Site for Products {
    fn respond(&self, request: &SiteRequest<'_>) -> Reply {
        if !matches!(request.method, "GET" | "HEAD") {
            return refused(405, "only GET is understood");
        }
        match request.path() {
            "/" => Reply::html(crate::html::document(
                "Products",
                "<h1>Products</h1>\n<p>For programs: <a href=\"/v1/products\">/v1/products</a></p>\n",
            )),
            "/v1/products" => list(request),
            path => path
                .strip_prefix("/v1/products/")
                .and_then(canonical_number)
                .filter(|id| (1..=Self::N_PRODUCTS).contains(id))
                .map_or_else(|| refused(404, "no such product"), |id| one(&Product::new(id))),
        }
    }
}

fn list(request: &SiteRequest<'_>) -> Reply {
    let asked = |name| queried(request.path_and_query, name);
    let limit = match asked("limit").map(|limit| canonical_number(&limit)) {
        None => PER_PAGE,
        Some(Some(limit)) if limit > 0 => limit.min(MAX_PER_PAGE),
        Some(_) => return refused(400, "`limit` is no number from 1"),
    };
    let first = match asked("cursor") {
        None => 1,
        Some(text) => match (1..=Products::N_PRODUCTS).find(|id| cursor(*id) == text) {
            Some(first) => first,
            None => return refused(400, "`cursor` is none that was given out"),
        },
    };
    let end = first.saturating_add(limit).min(Products::N_PRODUCTS + 1);
    let items: Vec<Value> = (first..end).map(|id| Product::new(id).as_listed()).collect();
    let next = (end <= Products::N_PRODUCTS).then(|| cursor(end));
    answer(&json!({ "items": items, "next_cursor": next, "total": Products::N_PRODUCTS }))
}

fn one(product: &Product) -> Reply {
    let mut value = product.as_listed();
    value["maker"] = product.maker.into();
    answer(&value)
}

/// The cursor of a page that begins with this product.
fn cursor(first: u32) -> String {
    format!("{:016x}", mix(406, u64::from(first)))
}

fn answer(value: &Value) -> Reply {
    Reply::new("application/json", value.to_string())
}

fn refused(status: u16, error: &str) -> Reply {
    Reply { status, ..answer(&json!({ "error": error })) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(path: &str) -> (u16, Value) {
        let reply = Products.respond(&SiteRequest::get(Products::HOST, path));
        (reply.status, serde_json::from_slice(&reply.body).unwrap())
    }

    #[test]
    fn the_cursors_lead_through_all_products_whatever_the_limit() {
        let told: Vec<_> = Products::products().iter().map(Product::as_listed).collect();
        for (limit, n_pages) in [("", 6), ("limit=50", 3), ("limit=500", 3), ("limit=137", 3)] {
            let (mut found, mut asked) = (Vec::new(), 1);
            let (_, mut page) = get(&format!("/v1/products?{limit}"));
            loop {
                found.extend(page["items"].as_array().unwrap().iter().cloned());
                let Some(cursor) = page["next_cursor"].as_str() else { break };
                (_, page) = get(&format!("/v1/products?{limit}&cursor={cursor}"));
                asked += 1;
            }
            assert_eq!((asked, &found), (n_pages, &told), "{limit}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert_eq!(get("/v1/products/7").1["maker"], Product::new(7).maker);
        for (path, status) in [
            ("/v1/products?cursor=x", 400),
            ("/v1/products?limit=0", 400),
            ("/v1/products/138", 404),
            ("/v2", 404),
        ] {
            let (found, answer) = get(path);
            assert_eq!(found, status, "{path}");
            assert!(answer["error"].is_string());
        }
    }
}
