-- Cluster membership. The version row orders every change of a cluster's members: a writer that read an older version
-- is refused. Lock order everywhere: members first, then the version row.

CREATE TABLE orleans_cluster (
  DeploymentId   varchar(150) PRIMARY KEY,
  Version        integer NOT NULL DEFAULT 0
);

CREATE TABLE orleans_member (
  DeploymentId   varchar(150) NOT NULL,
  Address        varchar(45) NOT NULL,
  Port           integer NOT NULL,
  Generation     integer NOT NULL,
  SiloName       varchar(150) NOT NULL,
  HostName       varchar(150) NOT NULL,
  Status         integer NOT NULL,
  ProxyPort      integer,
  SuspectTimes   text,
  StartTime      timestamptz(3) NOT NULL,
  IAmAliveTime   timestamptz(3) NOT NULL,
  PRIMARY KEY (DeploymentId, Address, Port, Generation)
);

INSERT INTO OrleansQuery (QueryKey, QueryText) VALUES
('InsertMembershipVersionKey', $sql$
WITH created AS (
  INSERT INTO orleans_cluster (DeploymentId) VALUES (@DeploymentId)
  ON CONFLICT DO NOTHING
  RETURNING 1
)
SELECT count(*)::integer FROM created
$sql$),

-- A second writer with the same version waits for the first at the version row and then finds it raised.
('InsertMembershipKey', $sql$
WITH raised AS (
  UPDATE orleans_cluster c SET Version = c.Version + 1
  WHERE c.DeploymentId = @DeploymentId AND c.Version = @Version
    AND NOT EXISTS (
      SELECT FROM orleans_member m
      WHERE m.DeploymentId = @DeploymentId AND m.Address = @Address AND m.Port = @Port AND m.Generation = @Generation)
  RETURNING c.DeploymentId
), inserted AS (
  INSERT INTO orleans_member
    (DeploymentId, Address, Port, Generation, SiloName, HostName, Status, ProxyPort, StartTime, IAmAliveTime)
  SELECT DeploymentId, @Address, @Port, @Generation, @SiloName, @HostName, @Status, @ProxyPort, @StartTime, @IAmAliveTime
  FROM raised
  RETURNING 1
)
SELECT count(*)::integer FROM inserted
$sql$),

-- The member is locked first, so that the version is never raised for a member that is being deleted.
('UpdateMembershipKey', $sql$
WITH member AS MATERIALIZED (
  SELECT m.DeploymentId FROM orleans_member m
  WHERE m.DeploymentId = @DeploymentId AND m.Address = @Address AND m.Port = @Port AND m.Generation = @Generation
  FOR UPDATE
), raised AS (
  UPDATE orleans_cluster c SET Version = c.Version + 1
  FROM member
  WHERE c.DeploymentId = member.DeploymentId AND c.Version = @Version
  RETURNING c.DeploymentId
), updated AS (
  UPDATE orleans_member m SET Status = @Status, SuspectTimes = @SuspectTimes, IAmAliveTime = @IAmAliveTime
  FROM raised
  WHERE m.DeploymentId = raised.DeploymentId AND m.Address = @Address AND m.Port = @Port AND m.Generation = @Generation
  RETURNING 1
)
SELECT count(*)::integer FROM updated
$sql$),

('UpdateIAmAlivetimeKey', $sql$
UPDATE orleans_member SET IAmAliveTime = @IAmAliveTime
WHERE DeploymentId = @DeploymentId AND Address = @Address AND Port = @Port AND Generation = @Generation
$sql$),

('MembershipReadRowKey', $sql$
SELECT c.DeploymentId, m.Address, m.Port, m.Generation, m.SiloName, m.HostName, m.Status, m.ProxyPort, m.SuspectTimes,
  m.StartTime, m.IAmAliveTime, c.Version
FROM orleans_cluster c
LEFT JOIN orleans_member m
  ON m.DeploymentId = c.DeploymentId AND m.Address = @Address AND m.Port = @Port AND m.Generation = @Generation
WHERE c.DeploymentId = @DeploymentId
$sql$),

('MembershipReadAllKey', $sql$
SELECT c.DeploymentId, m.Address, m.Port, m.Generation, m.SiloName, m.HostName, m.Status, m.ProxyPort, m.SuspectTimes,
  m.StartTime, m.IAmAliveTime, c.Version
FROM orleans_cluster c
LEFT JOIN orleans_member m ON m.DeploymentId = c.DeploymentId
WHERE c.DeploymentId = @DeploymentId
$sql$),

('GatewaysQueryKey', $sql$
SELECT Address, ProxyPort, Generation FROM orleans_member
WHERE DeploymentId = @DeploymentId AND Status = @Status AND ProxyPort > 0
$sql$),

-- 3 is Active.
('CleanupDefunctSiloEntriesKey', $sql$
DELETE FROM orleans_member
WHERE DeploymentId = @DeploymentId AND IAmAliveTime < @IAmAliveTime AND Status <> 3
$sql$),

('DeleteMembershipTableEntriesKey', $sql$
WITH members AS (
  DELETE FROM orleans_member WHERE DeploymentId = @DeploymentId
)
DELETE FROM orleans_cluster WHERE DeploymentId = @DeploymentId
$sql$);
