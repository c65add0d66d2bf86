//! How long to wait before something is tried again, and how often.

use std::time::Duration;

use domain::Error;

/// Doubling from 10 ms to about a second, spread so that those who met once do not meet again.
pub(crate) fn backoff(attempt: u32) -> Duration {
    let ceiling = 10_u64 << attempt.min(7);
    Duration::from_millis(ceiling / 2 + below(ceiling / 2 + 1))
}

/// Does what another change may come in between, until none does.
///
/// `attempt` reads what there is, and says by [`Error::Stale`] that something else has been written since.
///
/// # Errors
/// Those of `attempt` but that one; [`Error::Unavailable`] where it has been tried often enough.
pub async fn retried<T, F: Future<Output = Result<T, Error>>>(mut attempt: impl FnMut() -> F) -> Result<T, Error> {
    let mut tries = Tries::default();
    loop {
        match attempt().await {
            Err(Error::Stale) => tries.again().await?,
            done => return done,
        }
    }
}

/// The tries of a change that may meet another one: somewhat longer after each, and not for ever.
#[derive(Debug, Default)]
pub struct Tries(u32);

impl Tries {
    /// How often is tried before whoever asked is told to come back. Each time another change has been made, so that of
    /// a hundred at once all are; and it takes some five seconds, half of what a function has.
    const MOST: u32 = 100;

    /// Waits, so that what has met another change can be tried again.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where it has been tried often enough.
    pub async fn again(&mut self) -> Result<(), Error> {
        self.0 += 1;
        if self.0 > Self::MOST {
            return Err(Error::Unavailable("other changes come in between all the time".into()));
        }
        // Not doubling: one of those who meet has always got on, so that the others need not wait for long.
        let ceiling = 4 * u64::from(self.0.min(25));
        tokio::time::sleep(Duration::from_millis(1 + below(ceiling))).await;
        Ok(())
    }
}

/// Some number below another; ids carry random bits already.
fn below(ceiling: u64) -> u64 {
    domain::id::fresh().as_u64_pair().1 % ceiling
}
