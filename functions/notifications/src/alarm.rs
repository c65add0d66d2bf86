//! What starts notifications at their time: one-time schedules of EventBridge Scheduler. The table alone says what is to be
//! sent; a schedule that is lost, late or too early does no harm.

use std::time::Duration;

use aws_sdk_scheduler::Client;
use aws_sdk_scheduler::error::ProvideErrorMetadata as _;
use aws_sdk_scheduler::types::{ActionAfterCompletion, FlexibleTimeWindow, FlexibleTimeWindowMode, Target};
use domain::{Error, NotificationId, SegmentId, Time};
use edge::PushSchedules;
use serde_json::json;

/// EventBridge Scheduler.
#[derive(Debug, Clone)]
pub struct Alarm {
    /// The client.
    pub client: Client,
    /// Where schedules stand, and the role that they take.
    pub schedules: PushSchedules,
}

impl Alarm {
    /// Has the function `target` called at a time, once however often it is set.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn set(&self, target: &str, (segment, id): (SegmentId, NotificationId), at: Time) -> Result<(), Error> {
        let input = json!({ "segment_id": segment.to_string(), "id": id.to_string() }).to_string();
        let target = Target::builder().arn(target).role_arn(&self.schedules.role).input(input).build();
        let exactly = FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build();
        let created = self
            .client
            .create_schedule()
            .name(id.to_string())
            .group_name(&self.schedules.group)
            .schedule_expression(expression(at))
            .action_after_completion(ActionAfterCompletion::Delete)
            .flexible_time_window(exactly.map_err(Error::internal)?)
            .target(target.map_err(Error::internal)?);
        match created.send().await {
            Ok(_) => Ok(()),
            Err(failure) if failure.code() == Some("ConflictException") => Ok(()),
            Err(failure) => Err(Error::Unavailable(failure.into())),
        }
    }

    /// Takes the schedule of a notification away, if there is one.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn unset(&self, id: NotificationId) -> Result<(), Error> {
        let deleted = self.client.delete_schedule().name(id.to_string()).group_name(&self.schedules.group);
        match deleted.send().await {
            Ok(_) => Ok(()),
            Err(failure) if failure.code() == Some("ResourceNotFoundException") => Ok(()),
            Err(failure) => Err(Error::Unavailable(failure.into())),
        }
    }
}

/// `at(2026-11-21T10:00:00)`, in UTC; a begun second counts as whole, so that it is never too early.
fn expression(at: Time) -> String {
    let second: String = at.plus(Duration::from_millis(999)).to_string().chars().take(19).collect();
    format!("at({second})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_begun_second_counts_as_whole() {
        assert_eq!(expression(Time::from_millis(1_000)), "at(1970-01-01T00:00:01)");
        assert_eq!(expression(Time::from_millis(1_001)), "at(1970-01-01T00:00:02)");
    }
}
