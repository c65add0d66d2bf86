//! The `notifications` function in Lambda, called by the table's stream, by schedules of notifications, and every 5 minutes.

use std::time::Duration;

use domain::Time;
use edge::{App, Clients, Settings};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use notifications::{Alarm, Event, Left, Notifications, Sender, Sns};

/// How long a run may go on beginning another page: some minutes less than the function.
const BUDGET: Duration = Duration::from_secs(10 * 60);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::init_logs();
    let (table, clients) = (Settings::table_from_env()?, Clients::from_env());
    let client = aws_sdk_sns::Client::new(&clients.config);
    let sender = Sender::Sns(Sns { client, applications: Settings::push_applications_from_env() });
    let notifications = Notifications { store: App::store_of(&table, &clients), sender };
    let client = aws_sdk_scheduler::Client::new(&clients.config);
    let alarm = Alarm { client, schedules: Settings::push_schedules_from_env()? };
    let handle = |event: LambdaEvent<Event>| async {
        let end = Time::now().plus(BUDGET);
        let LambdaEvent { payload, context } = event;
        for (segment, id) in payload.named() {
            match notifications.send(segment, id, end).await? {
                Left::Later(at) => alarm.set(&context.invoked_function_arn, (segment, id), at).await?,
                Left::Nothing => alarm.unset(id).await?,
                Left::Some => {}
            }
        }
        if matches!(payload, Event::Look { .. }) {
            notifications.run(end).await?;
        }
        Ok::<_, Error>(())
    };
    lambda_runtime::run(service_fn(handle)).await
}
