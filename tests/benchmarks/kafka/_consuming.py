"""The yardstick of the ingress: a bare consumer that copies every value as text into one plain table, in a process."""

import sys
import time

from kafka import KafkaConsumer
from kafka.structs import TopicPartition

from tests.store.facts import straight


def main(servers: str, topic: str, url: str, wanted: int) -> None:
    """Print the values a second between the first commit and the last, and the CPU microseconds of each."""
    consumer = KafkaConsumer(bootstrap_servers=servers, enable_auto_commit=False, auto_offset_reset="earliest")
    consumer.assign([TopicPartition(topic, number) for number in range(4)])
    consumer.seek_to_beginning()
    done, first, since, spent = 0, 0, 0.0, 0.0
    with straight(url) as connection, connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS plain_text; CREATE TABLE plain_text (body text)")
        while done < wanted:
            found = consumer.poll(timeout_ms=1000, max_records=1000)
            if not found:
                continue
            with cursor.copy("COPY plain_text FROM STDIN") as stream:
                for records in found.values():
                    for record in records:
                        stream.write_row((record.value.decode(),))
            done += sum(map(len, found.values()))
            if not first:
                first, since, spent = done, time.perf_counter(), time.process_time()
        rate = (done - first) / (time.perf_counter() - since)
        print(rate, (time.process_time() - spent) / (done - first) * 1e6)
    consumer.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
