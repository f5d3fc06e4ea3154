//! Numbers that look random and are the same everywhere and for ever.

/// Mixes `n` under `salt` (SplitMix64's finaliser, Steele et al., 2014).
pub(crate) fn mix(salt: u64, n: u64) -> u64 {
    let mut z = n.wrapping_add(salt.wrapping_mul(0x9E37_79B9_7F4A_7C15)).wrapping_add(1);
    z = z.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// One of `choices`, by `n` under `salt`.
pub(crate) fn pick<T: Copy>(choices: &[T], salt: u64, n: u64) -> T {
    choices[(mix(salt, n) % choices.len() as u64) as usize]
}
