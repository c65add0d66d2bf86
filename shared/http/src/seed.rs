//! Ids of what a request creates. With an `Idempotency-Key` they are the same for each try, so that a try which
//! follows a crash finds what the one before it had made.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use store::Try;
use uuid::Uuid;

use crate::Failure;

/// Makes the ids of what a request creates.
#[derive(Debug, Clone, Copy)]
pub struct Seed(pub(crate) Try);

impl Seed {
    /// Whether an earlier try of this request may have done its work already, and lost its answer.
    #[must_use]
    pub fn is_repeated(self) -> bool {
        self.0.is_repeated
    }

    /// The id of the `nth` thing that the request creates.
    #[must_use]
    pub fn id<T: From<Uuid>>(self, nth: usize) -> T {
        // The time stays in front, so that the things sort as they were sent; the low bits of a `UUIDv7` are random
        // and count on without reaching the version or variant bits.
        let (high, low) = self.0.seed.as_u64_pair();
        let random = 0x3fff_ffff_ffff_ffff;
        let counted = (low & random & !0xff) | (nth as u64 & 0xff);
        Uuid::from_u64_pair(high, (low & !random) | counted).into()
    }

    /// The id of the `nth` of many things of their own, in no order: they share no counter, as [`Seed::id`]'s do.
    #[must_use]
    pub fn scattered<T: From<Uuid>>(self, nth: usize) -> T {
        let (high, low) = self.0.seed.as_u64_pair();
        let random = 0x3fff_ffff_ffff_ffff;
        // The odd constant of Knuth's multiplicative hash spreads whole numbers over 64 bits, no two alike.
        let spread = (nth as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Uuid::from_u64_pair(high, (low & !random) | ((low ^ spread) & random)).into()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Seed {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        Ok(parts
            .extensions
            .get()
            .copied()
            .unwrap_or_else(|| Self(Try { seed: domain::id::fresh(), is_repeated: false })))
    }
}
