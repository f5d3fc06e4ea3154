//! Keys of the one tree. A tag byte comes first; numbers are big-endian, so that the order of
//! keys is the order of things.

use crawl_model::{Fingerprint, ItemKey};

/// Format, identity, totals, configuration, segments, feeds: see [`meta`].
pub(crate) const META: u8 = b'M';
/// Page records.
pub(crate) const PAGE: u8 = b'P';
/// Items, packed.
pub(crate) const ITEMS: u8 = b'I';
/// Items that were dropped, packed.
pub(crate) const DROPPED: u8 = b'X';
/// Keys of items, each with a page that has such an item.
pub(crate) const ITEM_KEY: u8 = b'K';
/// The keys that the items of a page have, packed.
pub(crate) const PAGE_KEYS: u8 = b'k';
/// Items with a key that stand on no page any more.
pub(crate) const GONE: u8 = b'G';
/// Kinds of items, by number.
pub(crate) const KINDS: u8 = b'T';
/// How many items of the run have which fields, by kind.
pub(crate) const FIELDS: u8 = b'F';
/// How many items were dropped, by step and reason.
pub(crate) const DROPS: u8 = b'N';
/// Robots replies, in parts.
pub(crate) const ROBOTS: u8 = b'R';
/// Cookies.
pub(crate) const COOKIE: u8 = b'C';
/// Which bodies are archived where, in blocks.
pub(crate) const BODIES: u8 = b'B';
/// Files in the folder, by their digests.
pub(crate) const FILE: u8 = b'f';
/// Which pages have a file: digest and page.
pub(crate) const FILE_USE: u8 = b'u';
/// Who waits for a file, or did: the file's page and the page of the item, or that of a file that
/// redirected.
pub(crate) const WAITS: u8 = b'w';
/// Where a file is that was looked for and redirected.
pub(crate) const LEADS: u8 = b'l';
/// The files that the items of a page ask for, packed.
pub(crate) const ASKED: u8 = b'a';
/// Files that were lost from the folder and are to be fetched again.
pub(crate) const LOST: u8 = b'L';
/// Process deaths with a URL in hand.
pub(crate) const DEATHS: u8 = b'D';

pub(crate) fn meta(name: &str) -> Vec<u8> {
    [&[META], name.as_bytes()].concat()
}

pub(crate) fn print(tag: u8, print: Fingerprint) -> [u8; 9] {
    let mut key = [tag; 9];
    key[1..].copy_from_slice(&print.0.to_be_bytes());
    key
}

/// One part of what is packed for a page: [`ITEMS`], [`DROPPED`], [`PAGE_KEYS`] or
/// [`ASKED`].
pub(crate) fn part(tag: u8, of: Fingerprint, part: u32) -> [u8; 13] {
    let mut key = [0; 13];
    key[..9].copy_from_slice(&print(tag, of));
    key[9..].copy_from_slice(&part.to_be_bytes());
    key
}

/// Prefix of one origin's robots reply: no other origin's key begins with it.
pub(crate) fn robots(origin: &str) -> Vec<u8> {
    [&[ROBOTS], origin.as_bytes(), &[0]].concat()
}

pub(crate) fn robots_part(origin: &str, part: u32) -> Vec<u8> {
    [robots(origin).as_slice(), &part.to_be_bytes()].concat()
}

/// Prefix of the places of one key.
pub(crate) fn item_key(key: ItemKey) -> [u8; 17] {
    of_item(ITEM_KEY, key)
}

pub(crate) fn place(key: ItemKey, of: Fingerprint) -> [u8; 25] {
    let mut bytes = [0; 25];
    bytes[..17].copy_from_slice(&item_key(key));
    bytes[17..].copy_from_slice(&of.0.to_be_bytes());
    bytes
}

/// The page of a key made by [`place`].
pub(crate) fn page_of_place(key: &[u8]) -> Option<Fingerprint> {
    let bytes: [u8; 8] = key.get(17..)?.try_into().ok()?;
    Some(Fingerprint(u64::from_be_bytes(bytes)))
}

pub(crate) fn gone(key: ItemKey) -> [u8; 17] {
    of_item(GONE, key)
}

/// The item's key in a key made by [`gone`].
pub(crate) fn key_of_gone(key: &[u8]) -> Option<ItemKey> {
    key.get(1..)?.try_into().ok().map(ItemKey)
}

fn of_item(tag: u8, key: ItemKey) -> [u8; 17] {
    let mut bytes = [tag; 17];
    bytes[1..].copy_from_slice(&key.0);
    bytes
}

pub(crate) fn file(digest: &[u8; 32]) -> Vec<u8> {
    [&[FILE], &digest[..]].concat()
}

pub(crate) fn file_use(digest: &[u8; 32], of: Fingerprint) -> Vec<u8> {
    [&[FILE_USE], &digest[..], &of.0.to_be_bytes()].concat()
}

pub(crate) fn waits(file: Fingerprint, who: Fingerprint) -> [u8; 17] {
    let mut key = [WAITS; 17];
    key[1..9].copy_from_slice(&file.0.to_be_bytes());
    key[9..].copy_from_slice(&who.0.to_be_bytes());
    key
}

/// The second fingerprint of a key made by [`waits`].
pub(crate) fn second_print_of(key: &[u8]) -> Option<Fingerprint> {
    let bytes: [u8; 8] = key.get(9..17)?.try_into().ok()?;
    Some(Fingerprint(u64::from_be_bytes(bytes)))
}

pub(crate) fn kind(number: u32) -> [u8; 5] {
    let mut key = [KINDS; 5];
    key[1..].copy_from_slice(&number.to_be_bytes());
    key
}

pub(crate) fn fields(kind: &str) -> Vec<u8> {
    [&[FIELDS], kind.as_bytes()].concat()
}

pub(crate) fn drops(step: &str, reason: &str) -> Vec<u8> {
    [&[DROPS], step.as_bytes(), &[0], reason.as_bytes()].concat()
}

/// Step and reason of a key made by [`drops`].
pub(crate) fn drops_of(key: &[u8]) -> Option<(&str, &str)> {
    let key = std::str::from_utf8(key.get(1..)?).ok()?;
    key.split_once('\0')
}

pub(crate) fn cookie(key: &str) -> Vec<u8> {
    [&[COOKIE], key.as_bytes()].concat()
}

/// A block of [`BODIES`].
pub(crate) fn block(number: u64) -> [u8; 9] {
    let mut key = [BODIES; 9];
    key[1..].copy_from_slice(&number.to_be_bytes());
    key
}

/// The number of a key made by [`block`].
pub(crate) fn block_of(key: &[u8]) -> Option<u64> {
    key.get(1..)?.try_into().ok().map(u64::from_be_bytes)
}

/// The last four bytes of a key that ends in a part number.
pub(crate) fn part_of(key: &[u8]) -> Option<u32> {
    key.last_chunk().map(|part| u32::from_be_bytes(*part))
}

/// The fingerprint of a key made by [`print`].
pub(crate) fn print_of(key: &[u8]) -> Option<Fingerprint> {
    let bytes: [u8; 8] = key.get(1..9)?.try_into().ok()?;
    Some(Fingerprint(u64::from_be_bytes(bytes)))
}
