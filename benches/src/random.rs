//! Made-up data that is the same in each run.

/// Numbers that are the same in each run, by `SplitMix64`.
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// Always the same ones.
    #[must_use]
    pub fn seeded() -> Self {
        Self(0x5EED)
    }

    /// Any number.
    pub fn any(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Below `end`, all alike.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.any() % end as u64).unwrap_or(0)
    }

    /// Below `end`, the small ones much more often: half are in the first fifth.
    pub fn low(&mut self, end: usize) -> usize {
        self.below(1_000) * self.below(1_000) * end / 1_000_000
    }

    /// So many times of a hundred.
    pub fn happens(&mut self, of_hundred: usize) -> bool {
        self.below(100) < of_hundred
    }
}
