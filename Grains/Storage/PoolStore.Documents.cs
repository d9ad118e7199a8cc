namespace Hosting.Grains.Storage;

/// <summary>Names that exist only as the keys of grain documents.</summary>
public sealed partial class PoolStore
{
    private const string AppServiceType = "app-service";
    private const string ReplicaSetType = "replica-set";

    /// <summary>Names of all apps that have a document, sorted.</summary>
    public Task<IReadOnlyList<string>> GetApps(CancellationToken ct = default) => DocumentsUnder(databases.Shared, GrainDocuments.Folder(AppServiceType), ct);

    /// <summary>Names of the apps that have a replica set in a region, sorted.</summary>
    public Task<IReadOnlyList<string>> GetReplicaSets(string region, CancellationToken ct) =>
        DocumentsUnder(databases.Of(region), $"{GrainDocuments.Folder(ReplicaSetType)}/{region}", ct);

    // The zero is the character after the slash, so the range is that of the folder's documents, and an index finds it.
    private static Task<IReadOnlyList<string>> DocumentsUnder(Database database, string folder, CancellationToken ct) => Names(database, """
        SELECT substr(GrainTypeString, length($1) + 2) FROM orleans_grain_state
        WHERE GrainTypeString >= $1 || '/' AND GrainTypeString < $1 || '0' AND PayloadBinary IS NOT NULL
        ORDER BY GrainTypeString
        """, ct, folder);
}
