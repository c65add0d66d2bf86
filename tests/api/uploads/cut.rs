//! Cuts a run of a function off at one of the calls that it makes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrivals::Arrivals;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, SharedInterceptor, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use files::Files;
use local::{Functions, Permissions, Wiring};
use transfers::Transfers;

use crate::faults::Phase;
use crate::system::Muster;

/// From the `nth` call on none is made, or none is answered.
#[derive(Debug, Clone)]
pub(crate) struct Cut {
    nth: usize,
    phase: Phase,
    calls: Arc<AtomicUsize>,
}

impl Cut {
    pub(crate) fn at((nth, phase): (usize, Phase)) -> Self {
        Self { nth, phase, calls: Arc::default() }
    }

    /// Whether it has been cut off.
    pub(crate) fn has_cut(&self) -> bool {
        self.calls.load(Ordering::SeqCst) > self.nth
    }

    /// What checks files, as it will be cut off.
    pub(crate) fn arrivals(&self, muster: &Muster) -> Arrivals {
        let (functions, files) = self.functions(muster, "Arrivals");
        Arrivals { files, scanned: false, ..functions.arrivals() }
    }

    /// What does imports and exports, as it will be cut off.
    pub(crate) fn transfers(&self, muster: &Muster) -> Transfers {
        let (functions, files) = self.functions(muster, "Transfers");
        Transfers { files, ..functions.transfers() }
    }

    /// Connects as one function, and to the bucket; both will be cut off.
    pub(crate) fn functions(&self, muster: &Muster, function: &'static str) -> (Functions, Files) {
        let interceptor = SharedInterceptor::new(self.clone());
        let wiring = Wiring { interceptor: Some(interceptor.clone()), ..muster.wiring.clone() };
        let s3 = aws_sdk_s3::config::Builder::from(&wiring.config()).endpoint_url(&wiring.endpoints.s3);
        let permissions = Permissions::new(&wiring, Some(function)).interceptor();
        let s3 = s3.interceptor(interceptor).interceptor(permissions).retry_config(RetryConfig::disabled()).build();
        (Functions::connect(&wiring).acting_as(function), Files::new(aws_sdk_s3::Client::from_conf(s3), &wiring.bucket))
    }
}

#[dyn_dispatch_hint]
impl Intercept for Cut {
    fn name(&self) -> &'static str {
        "Cut"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        let dead = call > self.nth || (call == self.nth && self.phase == Phase::Before);
        if dead { Err("cut off before the call".into()) } else { Ok(()) }
    }

    fn read_after_deserialization(
        &self,
        _: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let dead = self.calls.load(Ordering::SeqCst) > self.nth;
        if dead { Err("cut off after the call".into()) } else { Ok(()) }
    }
}
