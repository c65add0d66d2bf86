//! The deployment's secrets in this process, and what they seal: each sealed value begins with the version that sealed it.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use domain::{Error, Time};
use store::{DeploymentSecrets, Store};

use crate::seal::Seal;

/// After so long a process asks again which version seals.
const FRESH: Duration = Duration::from_secs(60 * 60);

/// How many bytes a version has.
const VERSION_LEN: usize = 2;

/// The deployment's secrets, read when they are first needed.
#[derive(Debug, Clone)]
pub struct Keyring {
    store: Store,
    held: Arc<RwLock<Option<HeldSecrets>>>,
}

/// The secrets, and when they were read.
type HeldSecrets = (Arc<DeploymentSecrets>, Time);

/// What is sealed, and for how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Purpose {
    /// The name that the key is derived for.
    pub(crate) name: &'static str,
    /// How long a sealed value lives; `None` where it lives until it is deleted.
    pub(crate) lifetime: Option<Duration>,
}

impl Keyring {
    /// The secrets that this store has.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store, held: Arc::default() }
    }

    /// Reads the secrets, unless this process has them.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn warm(&self) -> Result<(), Error> {
        self.secrets().await.map(drop)
    }

    /// Adds a version, which seals from now on; the others open what they have sealed. Other processes learn of it when they
    /// meet a value of the new version, or within an hour.
    ///
    /// # Errors
    /// [`Error::Conflict`] where another rotation came between; [`Error::Unavailable`].
    pub async fn rotate(&self) -> Result<u16, Error> {
        let now = Time::now();
        let secrets = self.store.rotate_secret(now).await?;
        Ok(self.hold(secrets, now).current)
    }

    /// Seals `text`, bound to `context`, by the current version.
    pub(crate) async fn seal(&self, purpose: Purpose, text: &[u8], context: &str) -> Result<Vec<u8>, Error> {
        let secrets = self.secrets().await?;
        let current = secrets.versions.get(&secrets.current);
        let current = current.ok_or_else(|| Error::internal("no version of the deployment secret seals"))?;
        let sealed = Seal::derived(&current.secret, purpose.name)?.seal(text, context)?;
        Ok([secrets.current.to_be_bytes().as_slice(), &sealed].concat())
    }

    /// Opens what was sealed for the same purpose and context; `None` for anything else, and for values of a version whose
    /// values have all ended.
    pub(crate) async fn open(&self, purpose: Purpose, sealed: &[u8], context: &str) -> Result<Option<Vec<u8>>, Error> {
        let Some((version, sealed)) = sealed.split_first_chunk::<VERSION_LEN>() else { return Ok(None) };
        let version = u16::from_be_bytes(*version);
        let mut secrets = self.secrets().await?;
        if version > secrets.current {
            // Another process has met a rotation that this one has not heard of.
            secrets = self.read().await?;
        }
        let Some(found) = secrets.versions.get(&version) else { return Ok(None) };
        let ended = found.superseded_at.zip(purpose.lifetime).map(|(end, lifetime)| end.plus(lifetime).plus(FRESH));
        if ended.is_some_and(|ended| ended < Time::now()) {
            return Ok(None);
        }
        Ok(Seal::derived(&found.secret, purpose.name)?.open(sealed, context))
    }

    /// Opens what was sealed before sealed values named their version.
    pub(crate) async fn open_unversioned(
        &self,
        purpose: Purpose,
        sealed: &[u8],
        context: &str,
    ) -> Result<Option<Vec<u8>>, Error> {
        let secrets = self.secrets().await?;
        let Some(first) = secrets.versions.get(&1) else { return Ok(None) };
        Ok(Seal::derived(&first.secret, purpose.name)?.open(sealed, context))
    }

    async fn secrets(&self) -> Result<Arc<DeploymentSecrets>, Error> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner).clone();
        match held.filter(|(_, read_at)| read_at.plus(FRESH) > Time::now()) {
            Some((secrets, _)) => Ok(secrets),
            None => self.read().await,
        }
    }

    async fn read(&self) -> Result<Arc<DeploymentSecrets>, Error> {
        let now = Time::now();
        Ok(self.hold(self.store.deployment_secrets().await?, now))
    }

    fn hold(&self, secrets: DeploymentSecrets, read_at: Time) -> Arc<DeploymentSecrets> {
        let secrets = Arc::new(secrets);
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = Some((secrets.clone(), read_at));
        secrets
    }
}
