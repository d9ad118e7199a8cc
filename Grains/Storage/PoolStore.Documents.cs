namespace Hosting.Grains.Storage;

/// <summary>Names that exist only as the keys of grain documents.</summary>
public sealed partial class PoolStore
{
    /// <summary>Names of all apps that have a document, sorted.</summary>
    public Task<IReadOnlyList<string>> GetApps(CancellationToken ct = default) => Names("""
        SELECT GrainIdExtensionString FROM orleans_grain_state
        WHERE GrainTypeString = 'state' AND PayloadBinary IS NOT NULL
        ORDER BY 1
        """, ct);

    /// <summary>Names of the apps that have a replica set in a region, sorted.</summary>
    public Task<IReadOnlyList<string>> GetReplicaSets(string region, CancellationToken ct) => Names("""
        SELECT substr(GrainIdExtensionString, length($1) + 2) FROM orleans_grain_state
        WHERE GrainTypeString = 'state' AND PayloadBinary IS NOT NULL AND starts_with(GrainIdExtensionString, $1 || '/')
        ORDER BY 1
        """, ct, region);
}
