//! What a file is, by its first bytes, and how large an image is, by its header.
//!
//! Only what names files well and judges sizes is told: PNG (third edition, section 11.2.1), GIF
//! (89a, section 18), JPEG (ITU-T T.81, annex B), WebP (RFC 9649), and the signatures of a few
//! more (WHATWG MIME Sniffing, section 6). No image is decoded.

use std::io::{Read, Seek, SeekFrom};

/// Bytes at the beginning that say what a file is.
const HEAD_BYTES: usize = 64;
/// Segments of a JPEG that are passed over in search of its size: those of a large colour profile
/// and all metadata are some hundred.
const MAX_SEGMENTS: usize = 4096;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileFormat {
    /// Its media type.
    pub media_type: &'static str,
    /// What its name ends in.
    pub extension: &'static str,
    /// Whether other formats lie in such files (`.docx` is a ZIP), so that a name may say more.
    pub is_container: bool,
}

/// Signature, media type, extension.
const SIGNATURES: [(&[u8], &str, &str); 12] = [
    (b"\x89PNG\r\n\x1a\n", "image/png", "png"),
    (b"\xff\xd8\xff", "image/jpeg", "jpg"),
    (b"GIF87a", "image/gif", "gif"),
    (b"GIF89a", "image/gif", "gif"),
    (b"\0\0\x01\0", "image/x-icon", "ico"),
    (b"%PDF-", "application/pdf", "pdf"),
    (b"OggS\0", "application/ogg", "ogg"),
    (b"ID3", "audio/mpeg", "mp3"),
    (b"fLaC", "audio/flac", "flac"),
    (b"\x1a\x45\xdf\xa3", "video/webm", "webm"),
    (b"Rar!\x1a\x07", "application/vnd.rar", "rar"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed", "7z"),
];

impl FileFormat {
    /// By the first bytes of a file; `None` if they say nothing.
    #[must_use]
    pub fn of(head: &[u8]) -> Option<Self> {
        let format =
            |media_type, extension| Some(Self { media_type, extension, is_container: false });
        let container =
            |media_type, extension| Some(Self { media_type, extension, is_container: true });
        if let Some((_, media_type, extension)) =
            SIGNATURES.iter().find(|(start, ..)| head.starts_with(start))
        {
            return format(media_type, extension);
        }
        match head {
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => {
                format("image/webp", "webp")
            }
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => {
                format("audio/wave", "wav")
            }
            [_, _, _, _, b'f', b't', b'y', b'p', b'a', b'v', b'i', b'f', ..] => {
                format("image/avif", "avif")
            }
            [_, _, _, _, b'f', b't', b'y', b'p', ..] => container("video/mp4", "mp4"),
            [b'P', b'K', 3, 4, ..] => container("application/zip", "zip"),
            [0x1f, 0x8b, 8, ..] => container("application/gzip", "gz"),
            _ if is_svg(head) => format("image/svg+xml", "svg"),
            _ => None,
        }
    }

    /// Whether it is an image.
    #[must_use]
    pub fn is_image(&self) -> bool {
        self.media_type.starts_with("image/")
    }
}

/// Whether it begins as an SVG does that has no prologue but that of XML; others are known by their
/// media type alone.
fn is_svg(head: &[u8]) -> bool {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    text.starts_with(b"<svg") || {
        let behind =
            text.starts_with(b"<?xml").then(|| memchr::memmem::find(text, b"?>")).flatten();
        behind.is_some_and(|at| text[at + 2..].trim_ascii_start().starts_with(b"<svg"))
    }
}

/// Width and height of an image in pixels; `None` if its header does not say.
pub type ImageSize = Option<(u32, u32)>;

/// What a file is and, of an image whose header says it, width and height in pixels.
///
/// # Errors
/// Those of `file`. A header that makes no sense is no error: it has no size.
pub fn image_size<F: Read + Seek>(
    file: &mut F,
) -> std::io::Result<(Option<FileFormat>, ImageSize)> {
    file.seek(SeekFrom::Start(0))?;
    let mut head = Vec::with_capacity(HEAD_BYTES);
    file.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head)?;
    let Some(format) = FileFormat::of(&head) else { return Ok((None, None)) };
    let size = match format.extension {
        "png" => png(&head),
        "gif" => gif(&head),
        "webp" => webp(&head),
        "jpg" => jpeg(file)?,
        _ => None,
    };
    Ok((Some(format), size))
}

fn png(head: &[u8]) -> ImageSize {
    let header = head.get(12..24)?.strip_prefix(b"IHDR")?;
    let number = |at: usize| Some(u32::from_be_bytes(header.get(at..at + 4)?.try_into().ok()?));
    Some((number(0)?, number(4)?))
}

fn gif(head: &[u8]) -> ImageSize {
    let number =
        |at: usize| Some(u32::from(u16::from_le_bytes(head.get(at..at + 2)?.try_into().ok()?)));
    Some((number(6)?, number(8)?))
}

fn webp(head: &[u8]) -> ImageSize {
    let two =
        |at: usize| Some(u32::from(u16::from_le_bytes(head.get(at..at + 2)?.try_into().ok()?)));
    match head.get(12..16)? {
        // Its canvas: 24 bits each, less one.
        b"VP8X" => {
            let three = |at: usize| {
                let bytes = head.get(at..at + 3)?;
                Some(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0]) + 1)
            };
            Some((three(24)?, three(27)?))
        }
        // 14 bits each, less one, behind a signature.
        b"VP8L" if *head.get(20)? == 0x2f => {
            let bits = u32::from_le_bytes(head.get(21..25)?.try_into().ok()?);
            Some(((bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1))
        }
        // A frame of VP8: 14 bits each, behind a start code.
        b"VP8 " if *head.get(23..26)? == *b"\x9d\x01\x2a" => {
            Some((two(26)? & 0x3fff, two(28)? & 0x3fff))
        }
        _ => None,
    }
}

/// Goes from segment to segment to the one that begins a frame.
fn jpeg<F: Read + Seek>(file: &mut F) -> std::io::Result<ImageSize> {
    let mut at = 2;
    for _ in 0..MAX_SEGMENTS {
        file.seek(SeekFrom::Start(at))?;
        let mut head = [0; 9];
        let n = read_up_to(file, &mut head)?;
        if n < 4 || head[0] != 0xff {
            return Ok(None);
        }
        match head[1] {
            0xff => at += 1, // fill
            // SOF0 to SOF15, without DHT, JPG and DAC.
            0xc0..=0xcf if !matches!(head[1], 0xc4 | 0xc8 | 0xcc) => {
                let number = |i: usize| u32::from(u16::from_be_bytes([head[i], head[i + 1]]));
                return Ok((n == 9).then(|| (number(7), number(5))));
            }
            // Without a length: TEM and the restarts.
            0x01 | 0xd0..=0xd7 => at += 2,
            // The image's data, or its end.
            0xd9 | 0xda => return Ok(None),
            _ => at += 2 + u64::from(u16::from_be_bytes([head[2], head[3]])).max(2),
        }
    }
    Ok(None)
}

fn read_up_to(file: &mut impl Read, into: &mut [u8]) -> std::io::Result<usize> {
    let mut n = 0;
    while n < into.len() {
        match file.read(&mut into[n..]) {
            Ok(0) => break,
            Ok(more) => n += more,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(n)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], media_type: Option<&str>, size: Option<(u32, u32)>) {
        let (format, found) = image_size(&mut Cursor::new(bytes)).unwrap();
        assert_eq!((format.map(|format| format.media_type), found), (media_type, size));
        for n in 0..bytes.len().min(80) {
            // Whatever is cut off: no panic.
            let _ = image_size(&mut Cursor::new(&bytes[..n])).unwrap();
        }
    }

    #[test]
    fn headers_tell_the_size() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\x02\0\0\0\x07\x08\x02\0\0\0";
        check(png, Some("image/png"), Some((258, 7)));
        check(b"GIF89a\x10\x00\x02\x01\x80\0\0", Some("image/gif"), Some((16, 258)));
        let lossy = b"RIFF\x24\0\0\0WEBPVP8 \x18\0\0\0\x30\x01\0\x9d\x01\x2a\x40\x01\xf0\0\0\0";
        check(lossy, Some("image/webp"), Some((320, 240)));
        let lossless = b"RIFF\x24\0\0\0WEBPVP8L\x18\0\0\0\x2f\x3f\xc1\x3b\x10\0\0";
        check(lossless, Some("image/webp"), Some((320, 240)));
        let canvas = b"RIFF\x24\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x3f\x01\0\xef\0\0\0";
        check(canvas, Some("image/webp"), Some((320, 240)));
    }

    #[test]
    fn a_jpegs_size_stands_behind_its_metadata() {
        let mut jpeg = b"\xff\xd8\xff\xe1\xff\xff".to_vec();
        jpeg.resize(jpeg.len() + 0xffff - 2, 7);
        jpeg.extend(b"\xff\xc4\0\x04\0\0\xff\xff\xc2\0\x11\x08\x01\x02\x03\x04\x03");
        check(&jpeg, Some("image/jpeg"), Some((0x304, 0x102)));
        check(b"\xff\xd8\xff\xda\0\x04\0\0", Some("image/jpeg"), None);
        check(&b"\xff\xd8\xff\xe0\0\0".repeat(99), Some("image/jpeg"), None);
    }

    #[test]
    fn other_files_are_told_by_their_first_bytes() {
        check(b"%PDF-1.7", Some("application/pdf"), None);
        check(b"PK\x03\x04rest", Some("application/zip"), None);
        check(b"<?xml version='1.0'?>\n<svg/>", Some("image/svg+xml"), None);
        check(b"<html>", None, None);
        check(b"", None, None);
        assert!(FileFormat::of(b"PK\x03\x04").unwrap().is_container);
    }
}
