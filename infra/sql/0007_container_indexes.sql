-- The region is the same in nearly every row, so it decides nothing: with the column that does in front, an insert into
-- these indexes compares one column instead of two or three.
DROP INDEX container_live_app;
DROP INDEX container_live_vm;
CREATE INDEX container_live_app ON container (app, region) WHERE ended_at IS NULL;
CREATE INDEX container_live_vm ON container (server, vm, region) WHERE ended_at IS NULL;
