namespace Hosting.Grains.Storage;

/// <summary>Bounds of the stores.</summary>
public sealed record StorageOptions
{
    /// <summary>How long a write of deployment records is tried before its caller is told that it failed. Default 5 s.</summary>
    public TimeSpan WriteDeadline { get; init; } = TimeSpan.FromSeconds(5);
}
