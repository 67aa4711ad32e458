"""The stack that `profuse up` runs on this machine: real Kafka, real Postgres, a mail sink and the rooms."""
