-- Whether a region keeps its servers and deployment records in a database of its own. Known in the shared one, so that a
-- silo that was not told of that database does not begin a second truth here.
ALTER TABLE region ADD COLUMN own_database boolean NOT NULL DEFAULT false;
