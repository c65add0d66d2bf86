//! Failed tries at an account, counted for a day by source and in all: a stranger's failures refuse the stranger, and other
//! sources go on. Once a crowd of sources has failed, only those go on that the account has signed in from.

use std::net::IpAddr;
use std::time::Duration;

use domain::{Error, Time, UserId};

use crate::limit::{Limiter, source_name};

/// The length of a window, in seconds.
const DAY: u64 = 24 * 60 * 60;

/// What can fail at an account: each is counted for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// A password.
    Password,
    /// A code that was sent.
    Code,
}

impl Proof {
    fn name(self) -> &'static str {
        match self {
            Self::Password => "failed-login",
            Self::Code => "failed-code",
        }
    }
}

impl Limiter {
    /// Refuses a source that has failed too often at an account today: 1 read, and 1 more where a crowd has.
    ///
    /// # Errors
    /// [`Error::RateLimited`].
    pub(crate) async fn check_failures(
        &self,
        proof: Proof,
        (account, user): (&str, UserId),
        source: IpAddr,
    ) -> Result<(), Error> {
        let (day, left) = today();
        let failures = self.store.failed_tries(&subject(proof, account), day, &source_name(source)).await?;
        let crowd = failures.of_account >= self.limits.failures_by_account;
        let refused = failures.of_source >= self.limits.failures_by_source;
        if refused || crowd && !self.is_known(user, source).await? {
            Err(Error::RateLimited { retry_after: left })
        } else {
            Ok(())
        }
    }

    /// Whether a user has signed in from a source within the life of a session: 1 read.
    async fn is_known(&self, user: UserId, source: IpAddr) -> Result<bool, Error> {
        let name = source_name(source);
        let logins = self.store.logins(user).await?;
        Ok(logins.iter().filter_map(|session| session.address).any(|address| source_name(address) == name))
    }

    /// Counts a failed try: 1 write.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub(crate) async fn record_failure(&self, proof: Proof, account: &str, source: IpAddr) -> Result<(), Error> {
        let (day, left) = today();
        let expires_at = Time::now().plus(Duration::from_secs(left));
        self.store.record_failed_try(&subject(proof, account), day, &source_name(source), expires_at).await
    }
}

fn subject(proof: Proof, account: &str) -> String {
    format!("{}|{account}", proof.name())
}

/// Which day it is, and how many seconds are left of it.
fn today() -> (u64, u64) {
    let now = u64::try_from(Time::now().seconds()).unwrap_or_default();
    (now / DAY, DAY - now % DAY)
}
