"""How many tasks wait in a queue of the broker, Redis or RabbitMQ."""

from typing import Any

from celery import current_app


def waiting_tasks(queue: str) -> int:
    """Returns the number of tasks in the queue that no worker has taken.

    Raises kombu's OperationalError if the broker is away.
    """
    with current_app.connection_for_read() as connection:
        channel: Any = connection.channel()
        try:
            return int(channel.queue_declare(queue, passive=True).message_count)
        except connection.channel_errors:
            return 0  # an empty queue does not exist in Redis
