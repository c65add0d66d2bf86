//! Sees each read of the table: what it consumed, and which reads waited for which.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemOutput;
use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::operation::update_item::UpdateItemOutput;
use aws_sdk_dynamodb::types::ConsumedCapacity;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextRef, FinalizerInterceptorContextRef, Output,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};

/// Collects the calls; a clone shares them.
#[derive(Debug, Clone, Default)]
pub struct Meter(Arc<Mutex<Vec<Call>>>);

/// What a search cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    /// Read capacity units.
    pub units: f64,
    /// How many calls waited for one another.
    pub rounds: usize,
}

/// One call that was answered.
#[derive(Debug)]
struct Call {
    /// Not a number where it was none of the calls that are known here, which then shows in the table.
    units: f64,
    began: Instant,
    ended: Instant,
}

#[derive(Debug)]
struct Began(Instant);

impl Storable for Began {
    type Storer = StoreReplace<Self>;
}

impl Meter {
    /// What was read since the last time.
    pub fn take(&self) -> Cost {
        let mut calls = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        // The longest chain of calls that did not overlap: each of them waited for the one before it.
        calls.sort_by_key(|call| call.ended);
        let (mut rounds, mut free) = (0, None);
        for call in &calls {
            if free.is_none_or(|free| call.began >= free) {
                rounds += 1;
                free = Some(call.ended);
            }
        }
        Cost { units: calls.iter().map(|call| call.units).sum(), rounds }
    }
}

#[dyn_dispatch_hint]
impl Intercept for Meter {
    fn name(&self) -> &'static str {
        "Meter"
    }

    fn read_before_serialization(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
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
        let units = context.output_or_error().and_then(Result::ok).map_or(f64::NAN, consumed);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Call { units, began, ended });
        Ok(())
    }
}

fn consumed(output: &Output) -> f64 {
    let units = |capacity: &ConsumedCapacity| capacity.capacity_units().unwrap_or(f64::NAN);
    if let Some(output) = output.downcast_ref::<GetItemOutput>() {
        output.consumed_capacity().map_or(f64::NAN, units)
    } else if let Some(output) = output.downcast_ref::<QueryOutput>() {
        output.consumed_capacity().map_or(f64::NAN, units)
    } else if let Some(output) = output.downcast_ref::<BatchGetItemOutput>() {
        output.consumed_capacity().iter().map(units).sum()
    } else if output.downcast_ref::<UpdateItemOutput>().is_some() {
        // It reads nothing.
        0.0
    } else {
        f64::NAN
    }
}

#[expect(clippy::disallowed_methods, reason = "only the order of calls matters")]
fn now() -> Instant {
    Instant::now()
}
