-- What is queried across entities. Each fact lives here or in a grain's document, never in both.

CREATE TABLE region (
  name             text PRIMARY KEY,
  -- Raised by every activation of the region's placement grain; a commit with an older one is refused.
  placement_epoch  bigint NOT NULL DEFAULT 0
);

CREATE TABLE server (
  region           text NOT NULL REFERENCES region (name),
  name             text NOT NULL,
  cpu_millis       integer NOT NULL CHECK (cpu_millis > 0),
  memory_mib       integer NOT NULL CHECK (memory_mib > 0),
  labels           jsonb NOT NULL DEFAULT '{}',
  cordoned         boolean NOT NULL DEFAULT false,
  admit            double precision CHECK (admit > 0 AND admit <= 1),
  evict            double precision CHECK (evict >= admit AND evict <= 1),
  first_seen       timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (region, name),
  CHECK ((admit IS NULL) = (evict IS NULL))
);

CREATE TABLE vm (
  region           text NOT NULL,
  server           text NOT NULL,
  name             text NOT NULL,
  driver           text NOT NULL,
  cpu_millis       integer NOT NULL CHECK (cpu_millis > 0),
  memory_mib       integer NOT NULL CHECK (memory_mib > 0),
  PRIMARY KEY (region, server, name),
  FOREIGN KEY (region, server) REFERENCES server (region, name)
);

-- The deployment records. State: 0 Placed, 1 Starting, 2 Running, 3 Draining, 4 Stopped, 5 Failed; it only grows.
-- No foreign key to vm: the insert is the hottest statement there is, and its one writer knows the VM exists.
-- No index names a column that a live record changes, and pages keep room, so that such updates stay on their page.
CREATE TABLE container (
  id               text PRIMARY KEY,
  app              text NOT NULL,
  revision         integer NOT NULL,
  region           text NOT NULL,
  server           text NOT NULL,
  vm               text NOT NULL,
  cpu_millis       integer NOT NULL,
  memory_mib       integer NOT NULL,
  state            smallint NOT NULL CHECK (state BETWEEN 0 AND 5),
  healthy          boolean NOT NULL DEFAULT false,
  endpoint         text,
  reason           text,
  created_at       timestamptz NOT NULL,
  started_at       timestamptz,
  ended_at         timestamptz,
  CHECK ((state >= 4) = (ended_at IS NOT NULL))
) WITH (fillfactor = 80);
CREATE INDEX container_live_app ON container (region, app) WHERE ended_at IS NULL;
CREATE INDEX container_live_vm ON container (region, server, vm) WHERE ended_at IS NULL;
CREATE INDEX container_ended ON container (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE event (
  id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at               timestamptz NOT NULL,
  region           text,
  server           text,
  app              text,
  container        text,
  kind             text NOT NULL,
  message          text NOT NULL
);
CREATE INDEX event_app ON event (app, id) WHERE app IS NOT NULL;
CREATE INDEX event_at ON event (at);
