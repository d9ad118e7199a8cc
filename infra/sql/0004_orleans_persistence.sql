-- Grain state. The identity of a row is its service, grain type and grain id; the two hashes are functions of it and lead
-- the unique key, so that the same index finds a row and keeps it unique.

CREATE TABLE orleans_grain_state (
  GrainIdHash            integer NOT NULL,
  GrainTypeHash          integer NOT NULL,
  GrainIdN0              bigint NOT NULL,
  GrainIdN1              bigint NOT NULL,
  GrainIdExtensionString varchar(512),
  GrainTypeString        varchar(512) COLLATE "C" NOT NULL,
  ServiceId              varchar(150) NOT NULL,
  PayloadBinary          bytea,
  ModifiedAt             timestamptz NOT NULL DEFAULT now(),
  Version                integer NOT NULL,
  UNIQUE NULLS NOT DISTINCT
    (GrainIdHash, GrainTypeHash, GrainIdN0, GrainIdN1, GrainIdExtensionString, GrainTypeString, ServiceId)
) WITH (fillfactor = 80);
-- Finds the documents of one grain type: the silo starts a GrainTypeString with the type's name.
CREATE INDEX orleans_grain_state_type ON orleans_grain_state (GrainTypeString);

INSERT INTO OrleansQuery (QueryKey, QueryText) VALUES
('ReadFromStorageKey', $sql$
SELECT PayloadBinary, Version FROM orleans_grain_state
WHERE GrainIdHash = @GrainIdHash AND GrainTypeHash = @GrainTypeHash
  AND GrainIdN0 = @GrainIdN0 AND GrainIdN1 = @GrainIdN1
  AND GrainIdExtensionString IS NOT DISTINCT FROM @GrainIdExtensionString
  AND GrainTypeString = @GrainTypeString AND ServiceId = @ServiceId
$sql$),

-- No version means that the row must not exist yet; a refusal answers the version it was given.
('WriteToStorageKey', $sql$
WITH updated AS (
  UPDATE orleans_grain_state SET PayloadBinary = @PayloadBinary, ModifiedAt = now(), Version = Version + 1
  WHERE GrainIdHash = @GrainIdHash AND GrainTypeHash = @GrainTypeHash
    AND GrainIdN0 = @GrainIdN0 AND GrainIdN1 = @GrainIdN1
    AND GrainIdExtensionString IS NOT DISTINCT FROM @GrainIdExtensionString
    AND GrainTypeString = @GrainTypeString AND ServiceId = @ServiceId
    AND Version = @GrainStateVersion::integer
  RETURNING Version
), inserted AS (
  INSERT INTO orleans_grain_state
    (GrainIdHash, GrainTypeHash, GrainIdN0, GrainIdN1, GrainIdExtensionString, GrainTypeString, ServiceId, PayloadBinary, Version)
  SELECT @GrainIdHash, @GrainTypeHash, @GrainIdN0, @GrainIdN1, @GrainIdExtensionString, @GrainTypeString, @ServiceId,
    @PayloadBinary, 1
  WHERE @GrainStateVersion::integer IS NULL
  ON CONFLICT DO NOTHING
  RETURNING Version
)
SELECT coalesce((SELECT Version FROM updated), (SELECT Version FROM inserted), @GrainStateVersion::integer)
  AS NewGrainStateVersion
$sql$),

('ClearStorageKey', $sql$
WITH cleared AS (
  UPDATE orleans_grain_state SET PayloadBinary = NULL, ModifiedAt = now(), Version = Version + 1
  WHERE GrainIdHash = @GrainIdHash AND GrainTypeHash = @GrainTypeHash
    AND GrainIdN0 = @GrainIdN0 AND GrainIdN1 = @GrainIdN1
    AND GrainIdExtensionString IS NOT DISTINCT FROM @GrainIdExtensionString
    AND GrainTypeString = @GrainTypeString AND ServiceId = @ServiceId
    AND Version = @GrainStateVersion::integer
  RETURNING Version
)
SELECT coalesce((SELECT Version FROM cleared), @GrainStateVersion::integer) AS NewGrainStateVersion
$sql$),

('DeleteStorageKey', $sql$
WITH deleted AS (
  DELETE FROM orleans_grain_state
  WHERE GrainIdHash = @GrainIdHash AND GrainTypeHash = @GrainTypeHash
    AND GrainIdN0 = @GrainIdN0 AND GrainIdN1 = @GrainIdN1
    AND GrainIdExtensionString IS NOT DISTINCT FROM @GrainIdExtensionString
    AND GrainTypeString = @GrainTypeString AND ServiceId = @ServiceId
    AND Version = @GrainStateVersion::integer
  RETURNING Version
)
SELECT coalesce((SELECT Version + 1 FROM deleted), @GrainStateVersion::integer) AS NewGrainStateVersion
$sql$);
