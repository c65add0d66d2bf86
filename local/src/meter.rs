//! Sees each call to DynamoDB: what it consumed, and which calls waited for which. For tests and benchmarks.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemOutput;
use aws_sdk_dynamodb::operation::batch_write_item::BatchWriteItemOutput;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemOutput;
use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
use aws_sdk_dynamodb::operation::put_item::PutItemOutput;
use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsOutput;
use aws_sdk_dynamodb::operation::update_item::UpdateItemOutput;
use aws_sdk_dynamodb::types::ConsumedCapacity;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextRef, FinalizerInterceptorContextRef, Output,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, SharedInterceptor, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};

/// Collects the calls; a clone shares them.
#[derive(Debug, Clone, Default)]
pub struct Meter(Arc<Mutex<Vec<Call>>>);

/// One call that was answered.
#[derive(Debug)]
struct Call {
    operation: &'static str,
    /// Not a number where it was none of the calls that are known here, which then shows.
    units: f64,
    began: Instant,
    ended: Instant,
}

/// What a request cost.
#[derive(Debug, Clone, PartialEq)]
pub struct Cost {
    /// `2 GetItem, 1 Query`, in alphabetical order.
    pub operations: String,
    /// How many calls waited for one another.
    pub rounds: usize,
    /// Read capacity units.
    pub read_units: f64,
    /// Write capacity units.
    pub write_units: f64,
}

#[derive(Debug)]
struct Began(Instant);

impl Storable for Began {
    type Storer = StoreReplace<Self>;
}

impl Cost {
    /// Capacity units of either kind.
    #[must_use]
    pub fn units(&self) -> f64 {
        self.read_units + self.write_units
    }
}

impl Meter {
    /// What shows the calls of a client to this meter.
    #[must_use]
    pub fn interceptor(&self) -> SharedInterceptor {
        SharedInterceptor::new(self.clone())
    }

    /// What was called since the last time.
    pub fn take(&self) -> Cost {
        let mut calls = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let mut names: Vec<_> = calls.iter().map(|call| call.operation).collect();
        names.sort_unstable();
        let operations = names.chunk_by(|a, b| a == b);
        let operations = operations.filter_map(|same| Some(format!("{} {}", same.len(), same.first()?)));
        // The longest chain of calls that did not overlap: each of them waited for the one before it.
        calls.sort_by_key(|call| call.ended);
        let (mut rounds, mut free) = (0, None);
        for call in &calls {
            if free.is_none_or(|free| call.began >= free) {
                rounds += 1;
                free = Some(call.ended);
            }
        }
        let units = |read: bool| {
            let some =
                calls.iter().filter(|call| matches!(call.operation, "BatchGetItem" | "GetItem" | "Query") == read);
            // From plain zero: an empty sum of floats is -0.
            some.map(|call| call.units).fold(0.0, |sum, units| sum + units)
        };
        Cost {
            operations: operations.collect::<Vec<_>>().join(", "),
            rounds,
            read_units: units(true),
            write_units: units(false),
        }
    }
}

#[dyn_dispatch_hint]
impl Intercept for Meter {
    fn name(&self) -> &'static str {
        "Meter"
    }

    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        bag.interceptor_state().store_put(Began(now()));
        Ok(())
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let ended = now();
        let began = bag.load::<Began>().map_or(ended, |began| began.0);
        let (operation, units) = match context.output_or_error() {
            Some(Ok(output)) => consumed(output),
            Some(Err(_)) | None => ("refused", 0.0),
        };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Call { operation, units, began, ended });
        Ok(())
    }
}

fn consumed(output: &Output) -> (&'static str, f64) {
    let units =
        |capacity: Option<&ConsumedCapacity>| capacity.and_then(ConsumedCapacity::capacity_units).unwrap_or(f64::NAN);
    if let Some(output) = output.downcast_ref::<GetItemOutput>() {
        ("GetItem", units(output.consumed_capacity()))
    } else if let Some(output) = output.downcast_ref::<QueryOutput>() {
        ("Query", units(output.consumed_capacity()))
    } else if let Some(output) = output.downcast_ref::<BatchGetItemOutput>() {
        let each = output.consumed_capacity().iter();
        ("BatchGetItem", each.map(|capacity| units(Some(capacity))).sum())
    } else if let Some(output) = output.downcast_ref::<PutItemOutput>() {
        ("PutItem", units(output.consumed_capacity()))
    } else if let Some(output) = output.downcast_ref::<UpdateItemOutput>() {
        ("UpdateItem", units(output.consumed_capacity()))
    } else if let Some(output) = output.downcast_ref::<DeleteItemOutput>() {
        ("DeleteItem", units(output.consumed_capacity()))
    } else if let Some(output) = output.downcast_ref::<TransactWriteItemsOutput>() {
        let each = output.consumed_capacity().iter();
        ("TransactWriteItems", each.map(|capacity| units(Some(capacity))).sum())
    } else if let Some(output) = output.downcast_ref::<BatchWriteItemOutput>() {
        let each = output.consumed_capacity().iter();
        ("BatchWriteItem", each.map(|capacity| units(Some(capacity))).sum())
    } else {
        ("unknown", f64::NAN)
    }
}

#[expect(clippy::disallowed_methods, reason = "only the order of calls matters")]
fn now() -> Instant {
    Instant::now()
}
