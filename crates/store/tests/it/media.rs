//! Files on their way into the folder, without a crawl around them.

use std::path::{Path, PathBuf};

use crawl_model::{Arrived, Depot, Failure, FailureKind, FileKind, FileTold, MediaConfig};

use crate::rig::{open, url};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x20\0\0\0\x10\x08\x02\0\0\0";

fn put(
    depot: &dyn Depot,
    from: &str,
    kind: FileKind,
    media_type: &str,
    bytes: &[u8],
) -> Result<Arrived, Failure> {
    let mut draft = depot.begin()?;
    for piece in bytes.chunks(7) {
        draft.write(piece)?;
    }
    draft.finish(&FileTold { url: &url(from), kind, media_type })
}

/// All files under `media`, those in the making and marks included.
fn all(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder.join("media")).into_iter().flatten() {
        for file in std::fs::read_dir(entry.unwrap().path()).unwrap() {
            files.push(file.unwrap().path());
        }
    }
    files.sort();
    files
}

#[test]
fn equal_bytes_are_one_file_whatever_they_are_called() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let depot = store.depot(&MediaConfig::default());
    let file = |from: &str, media_type: &str, bytes: &[u8]| {
        put(&*depot, from, FileKind::File, media_type, bytes).unwrap()
    };
    let csv = file("http://h/a.csv?x=1", "text/plain", b"a,b\n1,2\n");
    let same = file("http://h/other", "text/csv", b"a,b\n1,2\n");
    assert_eq!((&csv.facts.path, csv.bytes), (&same.facts.path, 8));
    assert!(csv.facts.path.ends_with(".csv"), "{}", csv.facts.path);
    let bytes = std::fs::read(dir.path().join(&csv.facts.path)).unwrap();
    assert_eq!(bytes, b"a,b\n1,2\n");
    let docx = file("http://h/a.DOCX", "application/x", b"PK\x03\x04");
    assert!(docx.facts.path.ends_with(".docx") && docx.facts.media_type == "application/x");
    let image = file("http://h/image.php", "", PNG);
    assert!(image.facts.path.ends_with(".png"));
    let facts = (&*image.facts.media_type, image.facts.width, image.facts.height);
    assert_eq!(facts, ("image/png", Some(32), Some(16)));
    let plain = file("http://h/1.2", "", b"nobody knows");
    assert!(!plain.facts.path.contains('.') && plain.facts.media_type.is_empty());
    let empty = file("http://h/", "text/html", b"");
    assert_eq!((empty.bytes, empty.facts.path.ends_with(".html")), (0, true));
}

#[test]
fn what_is_not_finished_or_not_wanted_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let config = MediaConfig { min_width: 33, ..MediaConfig::default() };
    let depot = store.depot(&config);
    let mut draft = depot.begin().unwrap();
    draft.write(b"half").unwrap();
    assert_eq!(all(dir.path()).len(), 1);
    drop(draft);
    let image = |media_type: &str, bytes: &[u8]| {
        put(&*depot, "http://h/a.png", FileKind::Image, media_type, bytes).map(|_| ())
    };
    let small = image("image/png", PNG).unwrap_err();
    assert!(small.kind == FailureKind::TooSmall && small.detail.contains("32 x 16"), "{small}");
    for (media_type, bytes) in
        [("image/png", &b"%PDF-1.7"[..]), ("text/html", b"<p>"), ("image/png", b"")]
    {
        assert_eq!(image(media_type, bytes).unwrap_err().kind, FailureKind::ContentType);
    }
    assert_eq!(all(dir.path()), [""; 0].map(PathBuf::from));
    assert!(image("image/heic", b"a format that is not known").is_ok());
}

#[test]
fn the_next_open_removes_what_no_settle_points_to() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let depot = store.depot(&MediaConfig::default());
    let file = put(&*depot, "http://h/a", FileKind::File, "", b"a file").unwrap();
    assert_eq!(all(dir.path()).len(), 2, "the file and its mark");
    drop((file, depot));
    assert_eq!(all(dir.path()).len(), 2, "nobody looks while it runs");
    drop(store);
    let store = open(dir.path());
    assert!(all(dir.path()).is_empty());
    assert!(store.recovery().notes.iter().any(|note| note.contains("in the making")));
}
