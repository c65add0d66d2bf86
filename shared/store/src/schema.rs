//! The table as `template.yaml` declares it, for machines that have no template.

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType, StreamSpecification, StreamViewType, TimeToLiveSpecification,
};
use domain::Error;

use crate::keys::{PENDING_INDEX, PK, SK};
use crate::table::{Table, unavailable};

pub(crate) async fn ensure(table: &Table) -> Result<(), Error> {
    let hash_and_range = |hash, range| Some(vec![element(hash, KeyType::Hash), element(range, KeyType::Range)]);
    let pending = GlobalSecondaryIndex::builder()
        .index_name(PENDING_INDEX)
        .set_key_schema(hash_and_range("pending", "pending_at"))
        .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
        .build()
        .map_err(Error::internal)?;
    let made = table
        .client
        .create_table()
        .table_name(&*table.name)
        .set_key_schema(hash_and_range(PK, SK))
        .set_attribute_definitions(Some([PK, SK, "pending", "pending_at"].map(text).into()))
        .global_secondary_indexes(pending)
        .billing_mode(BillingMode::PayPerRequest)
        .stream_specification(
            StreamSpecification::builder()
                .stream_enabled(true)
                .stream_view_type(StreamViewType::NewAndOldImages)
                .build()
                .map_err(Error::internal)?,
        )
        .send()
        .await;
    match made {
        Ok(_) => expire(table).await,
        Err(failure) if failure.code() == Some("ResourceInUseException") => Ok(()),
        Err(failure) => Err(unavailable(failure)),
    }
}

/// Turns TTL on, so that what is over goes away by itself.
async fn expire(table: &Table) -> Result<(), Error> {
    let ttl = TimeToLiveSpecification::builder().enabled(true).attribute_name("expires_at").build();
    let set = table
        .client
        .update_time_to_live()
        .table_name(&*table.name)
        .time_to_live_specification(ttl.map_err(Error::internal)?)
        .send();
    set.await.map(drop).map_err(unavailable)
}

#[expect(clippy::expect_used, reason = "the builder fails only where a field is missing, and both are here")]
fn element(name: &str, kind: KeyType) -> KeySchemaElement {
    KeySchemaElement::builder().attribute_name(name).key_type(kind).build().expect("both fields are set")
}

#[expect(clippy::expect_used, reason = "the builder fails only where a field is missing, and both are here")]
fn text(name: &str) -> AttributeDefinition {
    let kind = ScalarAttributeType::S;
    AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().expect("both fields are set")
}
