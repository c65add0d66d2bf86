//! The deployment's secret, which seals cursors: made by whoever needs it first, then the same for all.

use aws_lc_rs::rand::fill;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::Error;

use crate::Store;
use crate::keys;
use crate::table::{Item, is_condition_failed, keyed, unavailable};

impl Store {
    /// The deployment's secret: 1 `GetItem`, which at a cold start also warms the connection.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn deployment_secret(&self) -> Result<[u8; 32], Error> {
        if let Some(secret) = self.read_secret().await? {
            return Ok(secret);
        }
        let mut secret = [0; 32];
        fill(&mut secret).map_err(|_| Error::internal("no random bytes to be had"))?;
        let item = Item::from([("secret".to_owned(), AttributeValue::B(Blob::new(secret)))]);
        let sent = self
            .table
            .client
            .put_item()
            .table_name(&*self.table.name)
            .set_item(Some(keyed(&keys::secret(), item)))
            .condition_expression("attribute_not_exists(PK)")
            .send();
        match sent.await {
            Ok(_) => Ok(secret),
            Err(failure) if is_condition_failed(&failure) => {
                self.read_secret().await?.ok_or_else(|| Error::internal("the deployment secret came and went"))
            }
            Err(failure) => Err(unavailable(failure)),
        }
    }

    async fn read_secret(&self) -> Result<Option<[u8; 32]>, Error> {
        let Some(item) = self.table.get(&keys::secret()).await? else {
            return Ok(None);
        };
        let bytes = item.get("secret").and_then(|secret| secret.as_b().ok());
        let secret = bytes.and_then(|bytes| bytes.as_ref().try_into().ok());
        secret.map(Some).ok_or_else(|| Error::internal("the deployment secret is not 32 bytes"))
    }
}
