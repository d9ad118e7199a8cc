namespace Hosting.Regions;

/// <summary>What there is: the answers that span entities. A stateless worker; the key is ignored, use <see cref="Key"/>.</summary>
[Alias("hosting.IDirectoryGrain")]
public interface IDirectoryGrain : IGrainWithStringKey
{
    /// <summary>The key every caller uses.</summary>
    const string Key = "all";

    /// <summary>Names of every app, sorted.</summary>
    [Alias("GetApps")] Task<IReadOnlyList<string>> GetApps();

    /// <summary>Names of every region that a silo serves or served, sorted.</summary>
    [Alias("GetRegions")] Task<IReadOnlyList<string>> GetRegions();

    /// <summary>Base addresses of the HTTP API on every live silo, for gateways to forward to.</summary>
    [Alias("GetApiAddresses")] Task<IReadOnlyList<string>> GetApiAddresses();
}
