//! A name server that is wrong in several ways (RFC 1035, section 4).

use std::net::Ipv4Addr;

use tokio::net::UdpSocket;

const TYPE_A: u16 = 1;
const TYPE_CNAME: u16 = 5;
const TYPE_AAAA: u16 = 28;
/// Points at the name in the question (RFC 1035, section 4.1.4).
const SAME_NAME: [u8; 2] = [0xc0, 12];

/// Answers until it is aborted.
pub(super) async fn serve(socket: UdpSocket) {
    let mut packet = [0; 512];
    loop {
        // An error is that of an answer that nobody took; the next question may be fine.
        let Ok((n, from)) = socket.recv_from(&mut packet).await else { continue };
        if let Some(answer) = Question::parse(&packet[..n]).and_then(|question| question.answer()) {
            // Whoever asked may have gone.
            let _ = socket.send_to(&answer, from).await;
        }
    }
}

/// The one question of a query.
struct Question<'a> {
    id: u16,
    /// First label, in lower case.
    label: String,
    kind: u16,
    /// Name, type and class, to be repeated.
    section: &'a [u8],
}

impl<'a> Question<'a> {
    fn parse(packet: &'a [u8]) -> Option<Self> {
        let id = u16::from_be_bytes([*packet.first()?, *packet.get(1)?]);
        let mut at = 12;
        let first = usize::from(*packet.get(at)?);
        let label = packet.get(at + 1..at + 1 + first)?;
        let label = String::from_utf8_lossy(label).to_ascii_lowercase();
        while *packet.get(at)? != 0 {
            at += 1 + usize::from(packet[at]);
        }
        let section = packet.get(12..at + 5)?;
        let kind = u16::from_be_bytes([packet[at + 1], packet[at + 2]]);
        Some(Self { id, label, kind, section })
    }

    /// What this name is answered; `None` for silence.
    fn answer(&self) -> Option<Vec<u8>> {
        let v4 = Ipv4Addr::LOCALHOST;
        let a = (TYPE_A, v4.octets().to_vec());
        let of_kind = |record: (u16, Vec<u8>)| (record.0 == self.kind).then_some(record);
        Some(match self.label.as_str() {
            "dns-silent" => return None,
            "dns-wrong-id" => self.message(self.id ^ 0x5555, 0, of_kind(a)),
            "dns-servfail" => self.message(self.id, 2, None),
            "dns-no-data" => self.message(self.id, 0, None),
            "dns-cname-loop" => self.message(self.id, 0, Some((TYPE_CNAME, SAME_NAME.to_vec()))),
            "dns-loopback" => self.message(self.id, 0, of_kind(a)),
            "dns-mapped" => {
                let mapped = v4.to_ipv6_mapped().octets().to_vec();
                self.message(self.id, 0, of_kind((TYPE_AAAA, mapped)))
            }
            _ => self.message(self.id, 3, None),
        })
    }

    fn message(&self, id: u16, code: u8, record: Option<(u16, Vec<u8>)>) -> Vec<u8> {
        let mut bytes = id.to_be_bytes().to_vec();
        // An answer, recursion wanted and had; one question, so many records.
        bytes.extend_from_slice(&[0x81, 0x80 | code, 0, 1, 0, u8::from(record.is_some())]);
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(self.section);
        if let Some((kind, data)) = record {
            bytes.extend_from_slice(&SAME_NAME);
            bytes.extend_from_slice(&kind.to_be_bytes());
            // Class IN, a minute to live.
            bytes.extend_from_slice(&[0, 1, 0, 0, 0, 60, 0, data.len() as u8]);
            bytes.extend_from_slice(&data);
        }
        bytes
    }
}
