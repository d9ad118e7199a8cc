using Hosting.HostAgent.Files;

namespace Hosting.HostAgent.Engine;

/// <summary>
/// What a container may write to its server's disk. The class of its CPU does not cover writes: the kernel completes them in threads of
/// its own, for which the primary waits.
/// </summary>
/// <param name="Device">The disk.</param>
/// <param name="BytesPerSecond">Over 0.</param>
internal sealed record WriteLimit(string Device, long BytesPerSecond)
{
    /// <summary>For what is written below a directory; null when there is no limit, or the file system there has no disk of its own.</summary>
    public static WriteLimit? For(string directory, int mibPerSecond) =>
        mibPerSecond > 0 && BlockDevice.Under(directory) is { } device ? new WriteLimit(device, mibPerSecond * 1024L * 1024L) : null;
}
