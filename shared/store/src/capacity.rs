//! Capacity units: counts what the calls of one request consume, as DynamoDB reports it with each of them.

use std::cell::Cell;

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
use aws_smithy_runtime_api::client::interceptors::context::{FinalizerInterceptorContextRef, Output};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

tokio::task_local! {
    /// The capacity that the request of this task has consumed so far.
    static CONSUMED: Cell<Capacity>;
}

/// Capacity units.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Capacity {
    /// Read capacity units.
    pub read_units: f64,
    /// Write capacity units.
    pub write_units: f64,
}

/// Runs a request, and returns with its output the capacity that its calls consumed. Failed calls count nothing, since
/// DynamoDB reports nothing for them.
pub async fn count_capacity<T>(request: impl Future<Output = T>) -> (T, Capacity) {
    let counted = async {
        let output = request.await;
        (output, CONSUMED.with(Cell::get))
    };
    CONSUMED.scope(Cell::default(), counted).await
}

/// Returns the name of the operation that has this output, and the capacity that it consumed.
#[must_use]
pub fn read_capacity(output: &Output) -> Option<(&'static str, Capacity)> {
    let units = |capacity: Option<&ConsumedCapacity>| capacity.and_then(ConsumedCapacity::capacity_units);
    let sum =
        |capacities: &[ConsumedCapacity]| capacities.iter().map(|capacity| units(Some(capacity))).sum::<Option<f64>>();
    let read = |units: Option<f64>| Some(Capacity { read_units: units?, write_units: 0.0 });
    let write = |units: Option<f64>| Some(Capacity { read_units: 0.0, write_units: units? });
    let (operation, capacity) = if let Some(output) = output.downcast_ref::<GetItemOutput>() {
        ("GetItem", read(units(output.consumed_capacity())))
    } else if let Some(output) = output.downcast_ref::<QueryOutput>() {
        ("Query", read(units(output.consumed_capacity())))
    } else if let Some(output) = output.downcast_ref::<BatchGetItemOutput>() {
        ("BatchGetItem", read(sum(output.consumed_capacity())))
    } else if let Some(output) = output.downcast_ref::<PutItemOutput>() {
        ("PutItem", write(units(output.consumed_capacity())))
    } else if let Some(output) = output.downcast_ref::<UpdateItemOutput>() {
        ("UpdateItem", write(units(output.consumed_capacity())))
    } else if let Some(output) = output.downcast_ref::<DeleteItemOutput>() {
        ("DeleteItem", write(units(output.consumed_capacity())))
    } else if let Some(output) = output.downcast_ref::<TransactWriteItemsOutput>() {
        ("TransactWriteItems", write(sum(output.consumed_capacity())))
    } else if let Some(output) = output.downcast_ref::<BatchWriteItemOutput>() {
        ("BatchWriteItem", write(sum(output.consumed_capacity())))
    } else {
        return None;
    };
    Some((operation, capacity?))
}

/// Adds what each call of a client consumed to the request of its task.
#[derive(Debug)]
pub(crate) struct CapacityCounter;

#[dyn_dispatch_hint]
impl Intercept for CapacityCounter {
    fn name(&self) -> &'static str {
        "CapacityCounter"
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let output = context.output_or_error().and_then(Result::ok);
        let Some((_, capacity)) = output.and_then(read_capacity) else { return Ok(()) };
        // A call outside of any request, such as one at the start, is nobody's.
        let _outside = CONSUMED.try_with(|consumed| {
            let before = consumed.get();
            consumed.set(Capacity {
                read_units: before.read_units + capacity.read_units,
                write_units: before.write_units + capacity.write_units,
            });
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use domain::{SegmentId, UserId};
    use futures_util::future::join;

    use super::*;
    use crate::Store;
    use crate::emulator::Emulator;

    #[tokio::test]
    async fn a_request_counts_the_capacity_of_its_own_calls() {
        let store = Store::new(Emulator::start().await.table);
        let one = count_capacity(store.segment(SegmentId::fresh()));
        let two = count_capacity(async { (store.user(UserId::fresh()).await, store.user(UserId::fresh()).await) });
        let ((_, one), (_, two)) = join(one, two).await;
        // Consistent reads of one item that does not exist cost one unit each.
        assert_eq!(one, Capacity { read_units: 1.0, write_units: 0.0 });
        assert_eq!(two, Capacity { read_units: 2.0, write_units: 0.0 });
        let lease = store.lease("key", 1, (1, 2), domain::Time::now());
        assert_eq!(count_capacity(lease).await.1, Capacity { read_units: 0.0, write_units: 1.0 });
        assert_eq!(count_capacity(async {}).await.1, Capacity::default());
    }
}
