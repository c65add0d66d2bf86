//! The deployment's secrets, which seal cursors and the secrets of webhooks: made by whoever needs one first, then the same
//! for all. Each has a version. A rotation adds one that seals from then on; the others still open what they have sealed.

use std::collections::BTreeMap;

use aws_lc_rs::rand::fill;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Error, Time};

use crate::Store;
use crate::keys;
use crate::table::{Changes, Item, is_condition_failed, keyed, number, unavailable};

/// All versions of the deployment's secret.
#[derive(Clone, PartialEq, Eq)]
pub struct DeploymentSecrets {
    /// The version that seals.
    pub current: u16,
    /// Each version.
    pub versions: BTreeMap<u16, SecretVersion>,
}

/// A version of the deployment's secret.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretVersion {
    /// The secret.
    pub secret: [u8; 32],
    /// When another version has taken its place.
    pub superseded_at: Option<Time>,
}

impl std::fmt::Debug for DeploymentSecrets {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("DeploymentSecrets").field("current", &self.current).finish_non_exhaustive()
    }
}

impl Store {
    /// The deployment's secrets: 1 `GetItem`, which at a cold start also warms the connection.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn deployment_secrets(&self) -> Result<DeploymentSecrets, Error> {
        if let Some(item) = self.table.get(&keys::secrets()).await? {
            return read(&item);
        }
        let first = match self.unversioned_secret().await? {
            Some(secret) => secret,
            None => random()?,
        };
        let item =
            Item::from([(CURRENT.to_owned(), number(1)), (named(SECRET, 1), AttributeValue::B(Blob::new(first)))]);
        let sent = self
            .table
            .client
            .put_item()
            .table_name(&*self.table.name)
            .set_item(Some(keyed(&keys::secrets(), item)))
            .condition_expression("attribute_not_exists(PK)")
            .send();
        match sent.await {
            Ok(_) => {}
            // Somebody else has been faster.
            Err(failure) if is_condition_failed(&failure) => {}
            Err(failure) => return Err(unavailable(failure)),
        }
        let item = self.table.get(&keys::secrets()).await?;
        item.as_ref().ok_or_else(|| Error::internal("the deployment secrets came and went")).and_then(read)
    }

    /// Adds a version of the deployment's secret, which seals from now on: all versions. 1 `GetItem`, 1 `UpdateItem`.
    ///
    /// # Errors
    /// [`Error::Conflict`] where another rotation came between; [`Error::Unavailable`].
    pub async fn rotate_secret(&self, now: Time) -> Result<DeploymentSecrets, Error> {
        let mut secrets = self.deployment_secrets().await?;
        let (old, secret) = (secrets.current, random()?);
        let new = old.checked_add(1).ok_or_else(|| Error::internal("the deployment secret has no more versions"))?;
        let changes = Changes::default()
            .set(CURRENT, number(new))
            .set(&named(SECRET, new), AttributeValue::B(Blob::new(secret)))
            .set(&named(SUPERSEDED, old), number(now.millis()))
            .value(":old", number(old));
        if !self.table.update(&keys::secrets(), "current_version = :old", changes).await? {
            return Err(Error::conflict("", "in_progress", "Another rotation came between; repeat yours."));
        }
        secrets.versions.entry(old).and_modify(|version| version.superseded_at = Some(now));
        secrets.versions.insert(new, SecretVersion { secret, superseded_at: None });
        Ok(DeploymentSecrets { current: new, ..secrets })
    }

    /// The secret of a deployment from before secrets had versions: it is the first one.
    async fn unversioned_secret(&self) -> Result<Option<[u8; 32]>, Error> {
        let found = self.table.get(&keys::unversioned_secret()).await?;
        found.as_ref().map(|item| bytes(item, SECRET)).transpose()
    }
}

/// The attribute of the version that seals.
const CURRENT: &str = "current_version";
/// What the attributes of the versions begin with.
const SECRET: &str = "secret";
/// What the attributes begin with that say since when a version seals no more.
const SUPERSEDED: &str = "superseded";

fn named(attribute: &str, version: u16) -> String {
    format!("{attribute}_{version}")
}

fn random() -> Result<[u8; 32], Error> {
    let mut secret = [0; 32];
    fill(&mut secret).map_err(|_| Error::internal("no random bytes to be had"))?;
    Ok(secret)
}

fn bytes(item: &Item, name: &str) -> Result<[u8; 32], Error> {
    let bytes = item.get(name).and_then(|secret| secret.as_b().ok());
    let secret = bytes.and_then(|bytes| bytes.as_ref().try_into().ok());
    secret.ok_or_else(|| Error::internal("the deployment secret is not 32 bytes"))
}

fn read(item: &Item) -> Result<DeploymentSecrets, Error> {
    let digits = |name: &str| item.get(name).and_then(|value| value.as_n().ok());
    let current = digits(CURRENT).and_then(|digits| digits.parse().ok());
    let current = current.ok_or_else(|| Error::internal("no version of the deployment secret seals"))?;
    let mut versions = BTreeMap::new();
    for version in 1..=current {
        let superseded = digits(&named(SUPERSEDED, version)).and_then(|digits| digits.parse().ok());
        let secret = bytes(item, &named(SECRET, version))?;
        versions.insert(version, SecretVersion { secret, superseded_at: superseded.map(Time::from_millis) });
    }
    Ok(DeploymentSecrets { current, versions })
}
