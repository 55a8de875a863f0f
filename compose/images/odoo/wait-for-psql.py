#!/usr/bin/env python3
"""Waits until the database server answers. The password may come from PGPASSWORD."""
import argparse
import sys
import time

import psycopg2

parser = argparse.ArgumentParser()
parser.add_argument("--db_host", required=True)
parser.add_argument("--db_port", required=True)
parser.add_argument("--db_user", required=True)
parser.add_argument("--db_password")
parser.add_argument("--timeout", type=int, default=5)
args = parser.parse_args()

deadline = time.monotonic() + args.timeout
while True:
    try:
        psycopg2.connect(
            host=args.db_host, port=args.db_port, user=args.db_user, password=args.db_password, dbname="postgres"
        ).close()
        break
    except psycopg2.OperationalError as error:
        if time.monotonic() >= deadline:
            sys.exit(f"Database connection failure: {error}")
        time.sleep(0.3)
