"""The registry of jobs: for each name in the queue the function to run, and one that finds lost jobs again."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from portal.jobs import poller, room_images, service_extras, tasks, webhook_delivery
from portal.media import finding, looks, telling
from portal.media import operations as media
from portal.rooms import images, presentations
from portal.status import service_calls, service_polls
from portal.status.callback_registration import providers_to_register_with
from portal.status.endings import END_AT_SERVICE
from portal.status.recording import REGISTER
from portal.subscriptions import provider_tests
from portal.tasks import operations as task_operations
from portal.videos import leftovers, service_looks, service_videos
from portal.videos import operations as videos
from portal.webhooks import deliveries


@dataclass(frozen=True)
class Job:
    """A kind of work that is enqueued by name, with the uuid of a row."""

    run: Callable[[str], object]
    """Does the work for the row with this uuid, in transactions of its own. It may be called twice for one row."""
    due: Callable[[], Iterable[UUID]]
    """Returns the uuids of rows that wait for this job now. It is called once a minute, in a reading transaction."""


JOBS: dict[str, Job] = {
    deliveries.SEND: Job(webhook_delivery.deliver, deliveries.due),
    task_operations.RUN: Job(tasks.run, task_operations.due),
    service_polls.ASK: Job(poller.ask, service_polls.providers_to_ask),
    REGISTER: Job(poller.register, providers_to_register_with),
    leftovers.KEEP_EXTRAS: Job(service_extras.keep_extras, service_videos.videos_to_tell),
    service_looks.LOOK_AT_VIDEOS: Job(poller.look, service_looks.providers_to_look_at),
    provider_tests.TEST: Job(poller.test, provider_tests.providers_to_test),
    looks.LOOK: Job(lambda provider: finding.look_for_recordings(UUID(provider)), looks.providers_to_look_at),
    media.TELL: Job(lambda recording: telling.tell_service(UUID(recording)), telling.recordings_to_tell),
    images.FETCH: Job(room_images.fetch_room_image, images.images_to_fetch),
    images.DELETE: Job(lambda image: images.delete_image(UUID(image)), images.images_to_delete),
    presentations.DELETE: Job(
        lambda presentation: presentations.delete_file(UUID(presentation)), presentations.presentations_to_delete
    ),
    leftovers.PURGE: Job(lambda video: videos.purge_video(UUID(video)), videos.videos_to_purge),
    leftovers.CLEAN: Job(lambda video: leftovers.clean(UUID(video)), list),  # what is lost, housekeeping finds
    END_AT_SERVICE: Job(lambda run: service_calls.end_at_service(UUID(run)), service_calls.runs_to_end),
}
"""Name in the queue → job."""
