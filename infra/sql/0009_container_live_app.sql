-- Two indexes with the same condition are taken for each other while the table is small, and that plan is kept: whoever looks for the
-- containers of a server then reads those of all apps. So this one says the same in other words, and only who says it so uses it.
DROP INDEX container_live_app;
CREATE INDEX container_live_app ON container (app, region) WHERE coalesce(ended_at, 'infinity') = 'infinity';
