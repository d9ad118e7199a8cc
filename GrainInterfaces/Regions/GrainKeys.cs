namespace Hosting.Regions;

/// <summary>
/// Keys of grains that belong to a region: they start with its name and a slash, and such grains live only on silos that
/// serve that region.
/// </summary>
public static class GrainKeys
{
    /// <summary>The name of the silo metadata entry that lists the regions a silo serves, separated by commas.</summary>
    public const string RegionsMetadata = "hosting.regions";

    /// <summary>The name of the silo metadata entry with the base address of the silo's HTTP API.</summary>
    public const string ApiMetadata = "hosting.api";

    /// <summary>Key of <see cref="Servers.IServerGrain"/>.</summary>
    public static string Server(string region, string server) => $"{region}/{server}";

    /// <summary>Key of <see cref="Vms.IVmGrain"/>.</summary>
    public static string Vm(string region, string server, string vm) => $"{region}/{server}/{vm}";

    /// <summary>Key of <see cref="Apps.IReplicaSetGrain"/>.</summary>
    public static string ReplicaSet(string region, string app) => $"{region}/{app}";

    /// <summary>The region a key starts with.</summary>
    public static ReadOnlySpan<char> RegionOf(ReadOnlySpan<char> key)
    {
        var slash = key.IndexOf('/');
        return slash < 0 ? key : key[..slash];
    }
}
