//! Sees each call to DynamoDB: what it consumed, and which calls waited for which. For tests and benchmarks.

use std::ops::Add as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, SharedInterceptor, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use store::Capacity;

/// Collects the calls; a clone shares them.
#[derive(Debug, Clone, Default)]
pub struct Meter(Arc<Mutex<Vec<Call>>>);

/// One call that was answered.
#[derive(Debug)]
struct Call {
    operation: &'static str,
    capacity: Capacity,
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
        // From plain zero: an empty sum of floats is -0.
        let units = |of: fn(&Capacity) -> f64| calls.iter().map(|call| of(&call.capacity)).fold(0.0, f64::add);
        Cost {
            operations: operations.collect::<Vec<_>>().join(", "),
            rounds,
            read_units: units(|capacity| capacity.read_units),
            write_units: units(|capacity| capacity.write_units),
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
        let (operation, capacity) = match context.output_or_error() {
            Some(Ok(output)) => store::read_capacity(output).unwrap_or(("unknown", Capacity::default())),
            Some(Err(_)) | None => ("refused", Capacity::default()),
        };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Call { operation, capacity, began, ended });
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "only the order of calls matters")]
fn now() -> Instant {
    Instant::now()
}
