//! Byte patterns of file formats (MIME Sniffing Standard, section 6), as tables.

/// What a format's first bytes are: each piece at its offset.
type Signature = (&'static [(usize, &'static [u8])], &'static str);

/// Tags that make a document HTML, if a space or `>` follows (section 7.1).
const HTML: [&[u8]; 17] = [
    b"!DOCTYPE HTML",
    b"HTML",
    b"HEAD",
    b"SCRIPT",
    b"IFRAME",
    b"H1",
    b"DIV",
    b"FONT",
    b"TABLE",
    b"A",
    b"STYLE",
    b"TITLE",
    b"B",
    b"BODY",
    b"BR",
    b"P",
    b"!--",
];

/// PostScript and byte order marks (section 7.1). An empty piece asks for bytes to be there.
const TEXTS: [Signature; 4] = [
    (&[(0, b"%!PS-Adobe-")], "application/postscript"),
    (&[(0, b"\xfe\xff"), (4, b"")], "text/plain"),
    (&[(0, b"\xff\xfe"), (4, b"")], "text/plain"),
    (&[(0, b"\xef\xbb\xbf"), (4, b"")], "text/plain"),
];

/// Section 6.1.
const IMAGES: [Signature; 8] = [
    (&[(0, b"\0\0\x01\0")], "image/x-icon"),
    (&[(0, b"\0\0\x02\0")], "image/x-icon"),
    (&[(0, b"BM")], "image/bmp"),
    (&[(0, b"GIF87a")], "image/gif"),
    (&[(0, b"GIF89a")], "image/gif"),
    (&[(0, b"RIFF"), (8, b"WEBPVP")], "image/webp"),
    (&[(0, b"\x89PNG\r\n\x1a\n")], "image/png"),
    (&[(0, b"\xff\xd8\xff")], "image/jpeg"),
];

/// Section 6.2.
const MEDIA: [Signature; 6] = [
    (&[(0, b"FORM"), (8, b"AIFF")], "audio/aiff"),
    (&[(0, b"ID3")], "audio/mpeg"),
    (&[(0, b"OggS\0")], "application/ogg"),
    (&[(0, b"MThd\0\0\0\x06")], "audio/midi"),
    (&[(0, b"RIFF"), (8, b"AVI ")], "video/avi"),
    (&[(0, b"RIFF"), (8, b"WAVE")], "audio/wave"),
];

/// Section 6.3.
const FONTS: [Signature; 6] = [
    (&[(34, b"LP")], "application/vnd.ms-fontobject"),
    (&[(0, b"\0\x01\0\0")], "font/ttf"),
    (&[(0, b"OTTO")], "font/otf"),
    (&[(0, b"ttcf")], "font/collection"),
    (&[(0, b"wOFF")], "font/woff"),
    (&[(0, b"wOF2")], "font/woff2"),
];

/// Section 6.4.
const ARCHIVES: [Signature; 3] = [
    (&[(0, b"\x1f\x8b\x08")], "application/x-gzip"),
    (&[(0, b"PK\x03\x04")], "application/zip"),
    (&[(0, b"Rar \x1a\x07\0")], "application/x-rar-compressed"),
];

/// Whether a document begins as HTML does.
pub(crate) fn is_html(head: &[u8]) -> bool {
    let Some(rest) = skip_blank(head).strip_prefix(b"<") else { return false };
    HTML.iter().any(|name| {
        let is_end = |byte: &u8| matches!(byte, b' ' | b'>');
        rest.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
            && rest.get(name.len()).is_some_and(is_end)
    })
}

/// Whether it begins with an XML declaration.
pub(crate) fn is_xml(head: &[u8]) -> bool {
    skip_blank(head).starts_with(b"<?xml")
}

/// PostScript, or text with a byte order mark.
pub(crate) fn text_type(head: &[u8]) -> Option<&'static str> {
    first(&TEXTS, head)
}

/// Section 6.1.
pub(crate) fn image_type(head: &[u8]) -> Option<&'static str> {
    first(&IMAGES, head)
}

/// Section 6.2.
pub(crate) fn media_type(head: &[u8]) -> Option<&'static str> {
    first(&MEDIA, head)
        .or_else(|| is_mp4(head).then_some("video/mp4"))
        .or_else(|| is_webm(head).then_some("video/webm"))
        .or_else(|| is_mp3(head).then_some("audio/mpeg"))
}

/// Section 6.3.
pub(crate) fn font_type(head: &[u8]) -> Option<&'static str> {
    first(&FONTS, head)
}

/// Section 6.4.
pub(crate) fn archive_type(head: &[u8]) -> Option<&'static str> {
    first(&ARCHIVES, head)
}

/// Whitespace bytes (section 3).
pub(crate) fn skip_blank(bytes: &[u8]) -> &[u8] {
    bytes.trim_ascii_start()
}

fn first(table: &[Signature], head: &[u8]) -> Option<&'static str> {
    let has = |(at, piece): &(usize, &[u8])| head.get(*at..).is_some_and(|r| r.starts_with(piece));
    table.iter().find(|(pieces, _)| pieces.iter().all(has)).map(|&(_, essence)| essence)
}

/// Section 6.2.1: a file type box that names a brand `mp4`.
fn is_mp4(head: &[u8]) -> bool {
    let Some(&[a, b, c, d]) = head.first_chunk() else { return false };
    let box_len = u32::from_be_bytes([a, b, c, d]) as usize;
    if head.len() < 12
        || head.len() < box_len
        || !box_len.is_multiple_of(4)
        || &head[4..8] != b"ftyp"
    {
        return false;
    }
    let is_brand = |at: usize| head.get(at..at + 3) == Some(b"mp4");
    is_brand(8) || (16..box_len).step_by(4).any(is_brand)
}

/// Section 6.2.2: an EBML header whose document type is `webm`. (The standard gives up where
/// bytes are left behind the type; what it must mean is: where none are.)
fn is_webm(head: &[u8]) -> bool {
    if !head.starts_with(b"\x1a\x45\xdf\xa3") {
        return false;
    }
    let ids = (4..head.len().min(38)).filter(|&at| head[at..].starts_with(b"\x42\x82"));
    ids.into_iter().any(|at| {
        let Some(&length) = head.get(at + 2) else { return false };
        // The number of leading zero bits says how long the length is (RFC 8794, section 4).
        let value = at + 2 + (length.leading_zeros() as usize + 1).min(8);
        let value = head.get(value..).unwrap_or_default();
        let n_zeros = value.iter().take_while(|&&byte| byte == 0).count();
        value[n_zeros..].starts_with(b"webm")
    })
}

/// Bits per second of layer III by the index in a frame's header; zero is "free".
const MPEG1_RATES: [usize; 15] = [
    0, 32_000, 40_000, 48_000, 56_000, 64_000, 80_000, 96_000, 112_000, 128_000, 160_000, 192_000,
    224_000, 256_000, 320_000,
];

/// The same for MPEG-2 and 2.5.
const MPEG2_RATES: [usize; 15] = [
    0, 8_000, 16_000, 24_000, 32_000, 40_000, 48_000, 56_000, 64_000, 80_000, 96_000, 112_000,
    128_000, 144_000, 160_000,
];

const SAMPLE_RATES: [usize; 3] = [44_100, 48_000, 32_000];

/// Section 6.2.3: two layer III frames, one behind the other. (The standard's steps mix up its
/// two tables of rates and forget that MPEG-2 halves the sample rates; here they are as in ISO
/// 11172-3 and 13818-3.)
fn is_mp3(head: &[u8]) -> bool {
    let frame = mp3_frame_len(head);
    frame.is_some_and(|len| len >= 4 && head.get(len..).and_then(mp3_frame_len).is_some())
}

/// The length of the frame that begins here.
fn mp3_frame_len(head: &[u8]) -> Option<usize> {
    let &[sync, second, third, _] = head.first_chunk()?;
    let is_layer_3 = second & 0x06 == 0x02;
    if sync != 0xff || second & 0xe0 != 0xe0 || !is_layer_3 {
        return None;
    }
    let (rate, sample_rate) = (usize::from(third >> 4), usize::from(third >> 2 & 3));
    let padding = usize::from(third >> 1 & 1);
    let (rates, scale, divisor) = match second >> 3 & 3 {
        3 => (&MPEG1_RATES, 144, 1),
        2 => (&MPEG2_RATES, 72, 2),
        0 => (&MPEG2_RATES, 72, 4),
        _ => return None,
    };
    Some(rates.get(rate)? * scale / (SAMPLE_RATES.get(sample_rate)? / divisor) + padding)
}
